//! Entity tags: one per row of a listing, one per answer.
//!
//! ```sh
//! cargo bench -p bucketry-domain --bench etag
//! ```

#![allow(missing_docs, reason = "`criterion_group!` makes a public function")]

use std::hint::black_box;

use bucketry_domain::ETag;
use criterion::{Criterion, criterion_group, criterion_main};

fn etag(criterion: &mut Criterion) {
    let tag = ETag::of_parts([0x5e; 16], 12);
    criterion.bench_function("text of an ETag", |bencher| {
        bencher.iter(|| black_box(&tag).text().len());
    });
    criterion.bench_function("ETag of a text", |bencher| {
        bencher.iter(|| black_box("5eb63bbbe01eeed093cb22bb8f5acdc3-12").parse::<ETag>());
    });
}

criterion_group!(benches, etag);
criterion_main!(benches);
