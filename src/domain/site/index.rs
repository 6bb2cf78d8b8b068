//! The networks of many sites, looked up instead of walked through: for whoever asks about every device at once. The rule is that of
//! [`site_for`](super::site_for), which its tests hold it to.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::{Match, Origin, Site, Sites, Tie, pairs};
use crate::domain::ids::SiteId;
use crate::domain::subnet::Subnet;

/// All networks of some sites, by themselves.
#[derive(Clone, Debug, Default)]
pub struct SiteIndex<'a> {
    /// Who has a public network, and what is behind it there.
    by_public: HashMap<Subnet, Vec<(SiteId, &'a [Subnet])>>,
    /// The lengths of those networks, longest first.
    lengths: BTreeSet<Reverse<u8>>,
    /// Who claims a public network with the private one behind it, or without any.
    by_pair: HashMap<(Subnet, Option<Subnet>), Vec<SiteId>>,
}

impl<'a> SiteIndex<'a> {
    /// Takes in these sites.
    pub fn new(sites: impl IntoIterator<Item = &'a Site>) -> Self {
        let mut index = Self::default();
        for site in sites {
            for network in site.networks.iter().filter(|network| !network.public.is_unset()) {
                index.lengths.insert(Reverse(network.public.bits()));
                index.by_public.entry(network.public).or_default().push((site.id, &network.private));
            }
            for pair in pairs(site) {
                index.by_pair.entry(pair).or_default().push(site.id);
            }
        }
        index
    }

    /// Takes in all sites of an account.
    pub fn of_all(sites: &'a Sites) -> Self {
        Self::new(sites.values().map(|site| &**site))
    }

    /// The site that claims an origin, as [`site_for`](super::site_for) says.
    pub fn find(&self, origin: Origin) -> Option<Match> {
        let own = origin.own.unwrap_or(origin.seen);
        let around = |bits: u8| Subnet::around(origin.seen, bits).ok();
        self.lengths.iter().filter_map(|Reverse(bits)| around(*bits)).find_map(|public| {
            let claims = self.by_public.get(&public)?.iter().flat_map(|(site, behind)| {
                let claim = move |private| Match { site: *site, public, private };
                let whole = behind.is_empty().then(|| claim(None));
                whole.into_iter().chain(behind.iter().filter(|net| net.covers(own)).map(move |net| claim(Some(*net))))
            });
            claims.min_by_key(|claim| (Reverse(claim.private.map(Subnet::bits)), claim.site))
        })
    }

    /// What a site claims that others claim just so (R80). The index may hold the site itself.
    pub fn ties(&self, site: &Site) -> Vec<Tie> {
        let of_pair = |(public, private): (Subnet, Option<Subnet>)| {
            let others = self.by_pair.get(&(public, private)).into_iter().flatten().filter(|other| **other != site.id);
            others.map(move |other| Tie { older: (*other).min(site.id), younger: (*other).max(site.id), public, private })
        };
        let mut ties: Vec<Tie> = pairs(site).flat_map(of_pair).collect();
        ties.sort_by_key(|tie| if tie.older == site.id { tie.younger } else { tie.older });
        ties
    }
}
