//! Another key file under phones that are bound: they notice nothing (SEC-02).

use pdms::domain::credential::DeviceSecrets;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::credentials;
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::journey::travel;
use pdms::simulate::memory::Line;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::Rules;
use pdms::simulate::statistics::{Ending, Statistics};

use super::{LINE, network, phone, profile, put_on_global, run};
use crate::support::api::Api;
use crate::support::phone::Phone as Bare;
use crate::support::server::Server;

fn secrets(server: &Server, phone: &Phone) -> DeviceSecrets {
    credentials::of(&server.services, DEFAULT_ACCOUNT, &phone.mac.into())
}

#[test]
fn sec_02_bound_phones_and_programs_go_on_with_another_key_file_and_people_sign_in_again() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let network = network(&server);
    let mut phones: Vec<_> = (1..=4).map(|number| phone(&server, &network, "VVX411", number, Rules::USUAL)).collect();
    let come = |server: &Server, phones: &mut Vec<Phone>, occasion: Occasion, may_restart: bool| {
        run(async {
            for phone in phones {
                let mut journey = travel(phone, occasion, &network, None).await;
                if may_restart && journey.report.restart {
                    journey = boot(phone, &network, &mut Statistics::default()).await;
                }
                assert_eq!((judge(phone, &journey), phone.line()), (Ending::Booted, Line::Registered));
                assert!(may_restart || !journey.report.restart, "it gets the very files that it has");
            }
        });
        server.advance(200);
        server.flush();
    };
    let bound = |server: &Server, phone: &Phone| server.services.trusts(DEFAULT_ACCOUNT).of(&phone.mac.into()).bound_at.is_some();
    for occasion in [Occasion::Boot, Occasion::Boot, Occasion::Boot, Occasion::Poll, Occasion::Poll] {
        come(&server, &mut phones, occasion, true);
    }
    assert!(phones.iter().all(|phone| bound(&server, phone)));
    let before: Vec<_> = phones.iter().map(|phone| secrets(&server, phone)).collect();
    let person = Api::owner(&server);
    let made = person.ok("POST", "/tokens", Some(serde_json::json!({ "name": "job", "role": "viewer" })));
    let token = made["token"].as_str().expect("a token").to_owned();

    let server = server.stopped().with_new_key().started();
    let program = Api::stranger(&server).with("Authorization", &format!("Bearer {token}"));
    assert_eq!(program.ok("GET", "/devices", None)["total"], 4, "a program goes on");
    assert_eq!(person.call("GET", "/devices", None).status, 401, "a person signs in again");
    for (phone, before) in phones.iter().zip(&before) {
        let now = secrets(&server, phone);
        assert_eq!(
            (now.password.expose(), now.admin_password.expose()),
            (before.password.expose(), before.admin_password.expose())
        );
    }
    for occasion in [Occasion::Poll, Occasion::Boot] {
        come(&server, &mut phones, occasion, false);
    }
    assert!(phones.iter().all(|phone| bound(&server, phone)));
    let master = format!("/{}.cfg", phones[0].mac);
    assert_eq!(Bare::new(&server).get(&master).status, 503, "the shared credentials open no bound device, as before");
}
