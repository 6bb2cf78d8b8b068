//! The rules of phones, each as a test on given answers, and the product of states, requests and readings.

mod given;
mod product;
mod rules_of_boot;
mod rules_of_files;
mod rules_of_transport;
mod transcripts;
