//! The rules of phones, each as a test on given answers, and the product of states, requests and readings.
