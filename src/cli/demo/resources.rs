//! Resource files of the demo, made by code: a picture, a tone, and the directory that every phone begins with.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use crate::domain::access::Actor;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::resource::{ResourceDraft, ResourceInput};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, resources};

/// The tone that a profile of the demo names.
pub const TONE: &str = "tones/Soft.wav";

const DIRECTORY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<directory>
  <item_list>
    <item><ln>Desk</ln><fn>Reception</fn><ct>100</ct><sd>1</sd></item>
    <item><ln>Help</ln><fn>House</fn><ct>110</ct><sd>2</sd></item>
  </item_list>
</directory>
";

/// Uploads them.
pub fn seed(services: &Services, actor: &Actor) -> Result<(), ServiceError> {
    let picture = picture(320, 240).map_err(ServiceError::file("make", "a picture"))?;
    for (folder, name, description, content) in [
        ("backgrounds", "Evening.png", "A quiet background", picture),
        ("tones", "Soft.wav", "Half a second, for meeting rooms", tone()),
        ("", "000000000000-directory.xml", "Contacts that every phone begins with", DIRECTORY.as_bytes().to_vec()),
    ] {
        let input = ResourceInput { folder: folder.to_owned(), name: name.to_owned(), description: description.to_owned() };
        let draft = ResourceDraft::parse(&input)?;
        let mut file = resources::spool(services)?;
        file.write_all(&content).map_err(ServiceError::file("write", name))?;
        resources::create(services, actor, DEFAULT_ACCOUNT, draft, &mut file, Mode::Keep)?;
    }
    Ok(())
}

/// A picture that goes from blue to orange.
fn picture(width: u32, height: u32) -> std::io::Result<Vec<u8>> {
    let mut lines = ZlibEncoder::new(Vec::new(), Compression::default());
    for y in 0..height {
        let shade = u8::try_from(255 * y / height).unwrap_or(u8::MAX);
        // Each line begins with its filter: none.
        lines.write_all(&[0])?;
        lines.write_all(&[shade, shade / 2 + 40, 160 - shade / 2].repeat(width as usize))?;
    }
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", lines.finish()?), (b"IEND", Vec::new())] {
        let mut sum = Crc::new();
        sum.update(kind);
        sum.update(&data);
        picture.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
        picture.extend(kind);
        picture.extend(&data);
        picture.extend(sum.sum().to_be_bytes());
    }
    Ok(picture)
}

/// A tone of 400 Hz that fades: 8 bits, one channel, 8,000 samples a second.
fn tone() -> Vec<u8> {
    const SAMPLES: u32 = 4_000;
    const PERIOD: u32 = 20;
    let mut sound = b"RIFF".to_vec();
    sound.extend((36 + SAMPLES).to_le_bytes());
    sound.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    sound.extend([8_000_u32.to_le_bytes(), 8_000_u32.to_le_bytes()].concat());
    sound.extend(b"\x01\0\x08\0data");
    sound.extend(SAMPLES.to_le_bytes());
    sound.extend((0..SAMPLES).map(|at| {
        // A triangle around the middle, weaker with every sample.
        let wave = (at % PERIOD).min(PERIOD - at % PERIOD) * 10;
        let faded = wave * (SAMPLES - at) / SAMPLES;
        u8::try_from(128 + faded / 2).unwrap_or(u8::MAX)
    }));
    sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::bench;

    #[test]
    fn what_is_made_by_code_is_what_it_says() {
        let bench = bench();
        seed(&bench.services, &Actor::CommandLine).expect("all are taken");
        let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
        let sizes: Vec<_> = world.resources.all().values().map(|one| one.pixels).collect();
        assert_eq!(sizes, [Some((320, 240)), None, None]);
        assert!(world.resources.find(&TONE.to_ascii_lowercase()).is_some());
    }
}
