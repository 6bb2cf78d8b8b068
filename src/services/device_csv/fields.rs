//! What the cells of a row say of the fields of a device.

use jiff::Timestamp;

use super::super::Existing;
use super::super::cells::takes_name;
use super::super::export::PINNED;
use super::{Faults, Planner};
use crate::csv::devices::{Column, DeviceRow};
use crate::domain::device::draft::{DeviceEdit, MANY_DEVICES};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::mac::Mac;
use crate::domain::placement::{By, Found};
use crate::services::devices::{is_held, mac_is_held, mac_is_of};

impl Planner<'_> {
    /// Sets the names of a device, its description and its private address. A blank cell clears them where everything is overwritten.
    pub(super) fn tell(&self, row: &DeviceRow, told: DeviceEdit, is_type_new: bool, device: &mut Device) {
        let is_cleared = |column| self.options.existing == Existing::Overwrite && self.cell(row, column).is_some();
        if told.name.is_some() || is_cleared(Column::Name) {
            // Without a column of its own the name on the device is this one too, where its type takes one (R233, R234). Which of two names
            // the device has was somebody's choice, unless this one is news.
            let is_news = is_type_new || device.name != told.name;
            if !self.table.has(Column::SentName) && takes_name(device, self.world.models) && is_news {
                device.sent_name.clone_from(&told.name);
            }
            device.name = told.name;
        }
        if told.sent_name.is_some() || is_cleared(Column::SentName) {
            device.sent_name = told.sent_name;
        }
        if !told.description.is_empty() || is_cleared(Column::Description) {
            device.description = told.description;
        }
        if told.private_ip.is_some() || is_cleared(Column::PrivateIp) {
            device.private_ip = told.private_ip;
        }
    }

    /// Keeps the MAC of a device that goes by its serial number (R267): no two devices have the same one.
    pub(super) fn keep_mac(&mut self, row: &DeviceRow, device: &mut Device, faults: &mut Faults) {
        let Some(typed) = self.cell(row, Column::Mac).filter(|_| device.key.mac().is_none()) else { return };
        let Ok(mac) = typed.parse::<Mac>() else {
            if self.options.existing == Existing::Overwrite {
                device.mac = None;
            }
            return;
        };
        let column = Column::Mac.heading();
        if mac.is_group() {
            faults.add(column, MANY_DEVICES);
        } else if let Some(first) = self.seen.insert(DeviceKey::Mac(mac), row.line) {
            faults.add(
                column,
                format_args!("this MAC address stands in line {first} already; leave this cell empty or correct it"),
            );
        } else if let Some(other) = self.roster.holder(mac).filter(|other| *other != device.key) {
            faults.add(column, mac_is_of(mac, &other));
        } else if device.mac != Some(mac) && is_held(mac, &self.world) {
            faults.add(column, mac_is_held(mac));
        }
        device.mac = Some(mac);
    }

    /// Puts a device to the site of its row. It is not pinned there: its addresses may say otherwise later.
    pub(super) fn settle(&self, row: &DeviceRow, device: &mut Device, faults: &mut Faults) {
        let Some(text) = self.cell(row, Column::Site).filter(|text| !text.is_empty()) else { return };
        let Some(site) = self.sites.get(&text.to_lowercase()).copied() else {
            faults.add(Column::Site.heading(), format_args!("there is no site “{text}”; add it first"));
            return;
        };
        if device.site_id() != site {
            let is_pinned = device.placement.pinned;
            // The time is that of the change, which puts it in.
            device.place(Found { site, by: By::Person }, Timestamp::UNIX_EPOCH);
            device.placement.pinned = is_pinned;
        }
    }

    /// Pins a device to its site, where its row says so. An empty cell leaves it as it is.
    pub(super) fn pin(&self, row: &DeviceRow, device: &mut Device, faults: &mut Faults) {
        match self.cell(row, Column::Pinned).unwrap_or_default() {
            "" => {}
            text if text.eq_ignore_ascii_case(PINNED) => {
                if !device.placement.pinned {
                    // The time is that of the change, which puts it in.
                    device.pin(device.site_id(), Timestamp::UNIX_EPOCH);
                }
            }
            _ => faults.add(
                Column::Pinned.heading(),
                "write yes for a device that stays at its site whatever its addresses say, or leave the cell empty",
            ),
        }
    }
}
