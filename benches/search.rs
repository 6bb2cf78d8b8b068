//! Speed of the dictionary: reading it, and searching it while somebody types (R122 allows 50 ms).

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pdms::catalog::schema::dictionary;

fn search(criterion: &mut Criterion) {
    let schema = dictionary();
    // Few hits, many hits, an index that is not the first, none.
    for text in ["24HourClock", "re", "reg.12.address", "no.such.thing"] {
        criterion.bench_function(&format!("search for {text}"), |bencher| {
            bencher.iter(|| schema.search(black_box(text), usize::MAX).len())
        });
    }
    criterion.bench_function("find by name", |bencher| bencher.iter(|| schema.find(black_box("reg.12.server.2.port")).is_some()));
}

criterion_group!(benches, search);
criterion_main!(benches);
