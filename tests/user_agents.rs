//! What a User-Agent tells, with the shipped model table: protocol/provisioning.md 3.1.

use pdms::catalog::models::models;
use pdms::domain::user_agent::{Program, UserAgent};

/// Family, model, version, tag and program of a User-Agent as texts; empty where not told.
fn read(text: &str) -> Option<[String; 5]> {
    let agent = UserAgent::parse(text, models())?;
    let program = match agent.program {
        Program::Updater => "Updater",
        Program::Application => "Application",
        Program::Unknown => "",
    };
    let tag = agent.tag.map(|t| t.to_string());
    Some([agent.family, agent.model, agent.version, tag, Some(program.to_owned())].map(Option::unwrap_or_default))
}

#[test]
fn the_grammar_is_read() {
    let cases = [
        (
            "FileTransport PolycomSoundPointIP-SPIP_335-UA/3.2.1.0078",
            ["SoundPoint IP", "SoundPoint IP 335", "3.2.1.0078", "", ""],
        ),
        (
            "FileTransport PolycomSoundStationIP-SSIP_6000-UA/5.0.3.1667 Type/Updater",
            ["SoundStation IP", "SoundStation IP 6000", "5.0.3.1667", "", "Updater"],
        ),
        (
            "FileTransport PolycomSoundStationIP-SSIP_5000-UA/4.0.3.7562 (SN:0004f2e765da) Type/Application",
            ["SoundStation IP", "SoundStation IP 5000", "4.0.3.7562", "0004f2e765da", "Application"],
        ),
        (
            "FileTransport PolyEdge-Edge_E450-UA/8.0.0.15602 Type/Application",
            ["Edge E", "Edge E450", "8.0.0.15602", "", "Application"],
        ),
        (
            "FileTransport PolyCCX-CCX_600-UA/8.0.2.3267 (SN:482567B5313F) Type/Application",
            ["CCX", "CCX 600", "8.0.2.3267", "482567b5313f", "Application"],
        ),
        (
            "FileTransport G_SERIES-PolyStudioX30-UA/3.10.0_362035 Type/Application",
            ["Studio X", "Poly Studio X30", "3.10.0_362035", "", "Application"],
        ),
        (
            "FileTransport PolycomSoundPointIP-SPIP_550-UA/ 4.0.15.1047",
            ["SoundPoint IP", "SoundPoint IP 550", "4.0.15.1047", "", ""],
        ),
        (
            "Microbrowser/1.1 PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application",
            ["SoundPoint IP", "SoundPoint IP 550", "4.0.15.1047", "", "Application"],
        ),
        ("PolycomVVX-VVX_411-UA/6.3.1.8427_64167f251288", ["VVX", "VVX 411", "6.3.1.8427", "64167f251288", ""]),
        ("Poly/7.3.0.16841 PolyCCX-CCX_400-UA/7.3.0.16841", ["CCX", "CCX 400", "7.3.0.16841", "", ""]),
        ("FileTransport PolycomVVX-VVX_999-UA/9.0 Type/Sidecar", ["VVX", "VVX 999", "9.0", "", ""]),
        ("FileTransport PolyX-Rocket_1-UA/9.0", ["", "", "9.0", "", ""]),
        ("FileTransport PolycomVVX-VVX_411-UA/", ["VVX", "VVX 411", "", "", ""]),
        ("FileTransport PolycomVVX-VVX_411-UA/5.9 (SN:8218404c20ccf9)", ["VVX", "VVX 411", "5.9", "8218404c20ccf9", ""]),
        ("FileTransport PolycomVVX-VVX_411-UA/5.9 (SN:000000000000)", ["VVX", "VVX 411", "5.9", "", ""]),
        ("FileTransport PolycomVVX-VVX_411-UA/5.9 (SN:0004f2", ["VVX", "VVX 411", "5.9", "", ""]),
        ("FileTransport Poly", ["", "", "", "", ""]),
        ("FileTransport", ["", "", "", "", ""]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), Some(expected.map(str::to_owned)), "{text}");
    }
}

#[test]
fn other_programs_are_no_phones() {
    for text in [
        "",
        "curl/8.5.0",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Yealink SIP-T22P 3.2.2.1136 00:15:65:00:00:00",
        "Cisco/SPA504G-7.4.9c (649EF3788E6A)(CCQ162306EA)",
        "Mozilla/5.0 Polypane/13.1",
        "polygon",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn every_collected_user_agent_is_read_as_expected() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/user-agents.tsv");
    let Ok(table) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let mut lines = 0;
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let expected = (columns[2] == "yes").then(|| [3, 4, 5, 6, 7].map(|i| columns[i].to_owned()));
        assert_eq!(read(columns[0]), expected, "{}", columns[0]);
        lines += 1;
    }
    assert!(lines > 50, "{lines} lines read");
}
