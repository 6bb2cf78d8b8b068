//! The second factor on one's own account page: set up with an authenticator app, confirmed, switched off; recovery codes shown once.

use actix_web::{HttpResponse, web};
use askama::Template;
use qrcode::{Color, EcLevel, QrCode};

use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::session::SignedIn;
use crate::domain::account::Secret;
use crate::domain::user::SecondFactor;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, second_factor, users};
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/account/second-factor";

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct FactorPage {
    page: Page,
    form: Form,
    email: String,
    state: State,
}

/// What there is to do.
enum State {
    /// It is on.
    On(SecondFactor),
    /// It can be set up.
    Offered(Scan),
}

/// What an app scans or a person types.
#[derive(Default)]
struct Scan {
    /// The secret in groups of four.
    secret: String,
    /// Modules of the square's edge, the quiet zone included.
    size: usize,
    /// The dark modules as a path, each a square of one unit.
    path: String,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct CodesPage {
    page: Page,
    codes: Vec<String>,
}

/// The addresses of the second factor.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, show)
        .post(HERE, confirm)
        .post("/admin/account/second-factor/off", disable)
        .post("/admin/account/second-factor/recovery", renew)
        // A reload after a rejected form asks by GET: it gets the page.
        .get("/admin/account/second-factor/off", || async { see_other(HERE) })
        .get("/admin/account/second-factor/recovery", || async { see_other(HERE) });
}

async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html(&factor_page(&who, &services, Form::default()).await?))
}

async fn factor_page(who: &SignedIn, services: &web::Data<Services>, form: Form) -> Result<FactorPage, Failure> {
    let (actor, id) = (who.actor.clone(), who.person.id);
    let found = blocking::call(services, move |services| {
        let user = users::get(services, id)?;
        let offer = match user.second_factor {
            Some(_) => None,
            None => Some(second_factor::offer(services, &actor, id)?),
        };
        Ok((user, offer))
    });
    let (user, offer) = found.await.map_err(Failure::of(who))?;
    let state = match (user.second_factor, offer) {
        (Some(factor), _) => State::On(factor),
        (None, offer) => State::Offered(offer.map(|offer| scan(&offer)).unwrap_or_default()),
    };
    Ok(FactorPage { page: who.page("Second factor"), form, email: user.email, state })
}

/// Light modules around the code, as its standard wants them.
const QUIET: usize = 4;

fn scan(offer: &second_factor::Offer) -> Scan {
    let letters: Vec<char> = offer.secret.expose().chars().collect();
    let secret = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
    // A text that no code can hold is offered for typing alone.
    let Ok(code) = QrCode::with_error_correction_level(offer.url.expose(), EcLevel::M) else {
        return Scan { secret, ..Scan::default() };
    };
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    let path = dark.map(|(at, _)| format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET)).collect();
    Scan { secret, size: width + 2 * QUIET, path }
}

async fn confirm(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, id) = (who.actor.clone(), who.person.id);
    let (current, code) = (Secret::new(form.value("current")), form.value("code").to_owned());
    let done = move |services: &Services| second_factor::confirm(services, &actor, id, &current, &code, Mode::Keep);
    let done = blocking::call(&services, done).await;
    answer(&who, &services, form, done, |codes| codes_page(&who, &codes)).await
}

async fn renew(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, id, current) = (who.actor.clone(), who.person.id, Secret::new(form.value("current")));
    let done = move |services: &Services| second_factor::renew_recovery(services, &actor, id, &current, Mode::Keep);
    let done = blocking::call(&services, done).await;
    answer(&who, &services, form, done, |codes| codes_page(&who, &codes)).await
}

async fn disable(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, id, current) = (who.actor.clone(), who.person.id, Secret::new(form.value("current")));
    let done = move |services: &Services| second_factor::disable(services, &actor, id, &current, Mode::Keep);
    let done = blocking::call(&services, done).await;
    answer(&who, &services, form, done, |()| who.done("/admin/account", "The second factor is off.")).await
}

fn codes_page(who: &SignedIn, codes: &[Secret]) -> HttpResponse {
    let halves =
        |code: &Secret| format!("{}-{}", &code.expose()[..code.expose().len() / 2], &code.expose()[code.expose().len() / 2..]);
    html(&CodesPage { page: who.page("Recovery codes"), codes: codes.iter().map(halves).collect() })
}

async fn answer<T>(
    who: &SignedIn,
    services: &web::Data<Services>,
    form: Form,
    done: Result<T, ServiceError>,
    show: impl FnOnce(T) -> HttpResponse,
) -> Result<HttpResponse, Failure> {
    let form = match done {
        Ok(value) => return Ok(show(value)),
        Err(ServiceError::Invalid(errors)) => form.rejected(&errors),
        Err(ServiceError::Conflict(why)) => form.refused(why),
        Err(error) => return Err(Failure::new(who, error)),
    };
    Ok(html_rejected(&factor_page(who, services, form).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_holds_the_address_and_the_text_is_the_secret() {
        let offer = second_factor::Offer {
            secret: Secret::new("JBSWY3DPEHPK3PXP"),
            url: Secret::new("otpauth://totp/pdms:ada%40example.test?secret=JBSWY3DPEHPK3PXP&issuer=pdms"),
        };
        let scan = scan(&offer);
        assert_eq!(scan.secret, "JBSW Y3DP EHPK 3PXP");
        assert!(scan.size > 21 + 2 * QUIET && scan.path.starts_with(&format!("M{QUIET} {QUIET}h1v1h-1z")), "{}", scan.size);
    }
}
