//! The token that every form of a signed-in person carries. It names its person under our seal, so that a form which comes after its
//! session has ended is still known to be that person's, and is given back to nobody else.

use rand::RngExt as _;
use subtle::ConstantTimeEq as _;

use super::Services;
use crate::domain::ids::UserId;

/// A new token for a session of this user.
pub fn make(services: &Services, user: UserId) -> String {
    let random = hex::encode(rand::rng().random::<[u8; 32]>());
    let seal = seal(services, &random, user);
    format!("{random}.{user}.{seal}")
}

/// Whose token this is; none of anything that we did not make for a user.
pub fn owner(services: &Services, token: &str) -> Option<UserId> {
    let mut parts = token.splitn(3, '.');
    let (random, user, told) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let expected = seal(services, random, user);
    bool::from(told.as_bytes().ct_eq(expected.as_bytes())).then_some(user)
}

fn seal(services: &Services, random: &str, user: UserId) -> String {
    hex::encode(services.secrets.keyed_hash(&format!("form of {user} {random}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::bench;

    #[test]
    fn a_token_names_its_user_and_nobody_can_make_one_up() {
        let bench = bench();
        let services = &bench.services;
        let token = make(services, UserId(7));
        assert_eq!(owner(services, &token), Some(UserId(7)));
        assert_ne!(token, make(services, UserId(7)));
        let others = token.replacen(".7.", ".8.", 1);
        for wrong in ["", "..", "x.7.y", others.as_str(), &token[..token.len() - 1]] {
            assert_eq!(owner(services, wrong), None, "{wrong}");
        }
    }
}
