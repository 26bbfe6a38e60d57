//! The table of a comparison.

use crate::compare::cell_kind::CellKind;
use crate::compare::competitor::NGINX;
use crate::report::Report;

/// The head of the table.
pub(crate) const HEAD: &str = "\
| cell | connections | server | operations/s | p50 ms | p99 ms | server CPU µs/operation | server CPU s/GB | \
CPU × nginx's GET | peak MB |
|---|---|---|---|---|---|---|---|---|---|";

/// A row of each server: the medians of its turns, and the highest memory.
pub(crate) fn rows(
    kind: CellKind,
    connections: u16,
    measured: &[(&str, Vec<Report>)],
) -> Vec<String> {
    let reference = measured
        .iter()
        .find(|(name, _)| *name == NGINX)
        .and_then(|(_, reports)| cpu(reports))
        .filter(|cpu| *cpu > 0.0);
    let row = |(name, reports): &(&str, Vec<Report>)| {
        let cpu = cpu(reports);
        let of = |figure: fn(&Report) -> f64| median(reports.iter().map(figure).collect());
        let per_gigabyte = reports
            .iter()
            .filter_map(|report| report.server_cpu_s_per_gigabyte)
            .collect();
        let peak = reports
            .iter()
            .filter_map(|report| report.server_peak_megabytes)
            .max_by(f64::total_cmp);
        format!(
            "| {} | {connections} | {name} | {} | {} | {} | {} | {} | {} | {} |",
            kind.title(),
            shown(of(|report| report.operations_per_second), 0),
            shown(of(|report| report.p50_ms), 3),
            shown(of(|report| report.p99_ms), 3),
            shown(cpu, 1),
            shown(median(per_gigabyte), 2),
            shown(cpu.zip(reference).map(|(cpu, of)| cpu / of), 2),
            shown(peak, 0),
        )
    };
    measured.iter().map(row).collect()
}

fn cpu(reports: &[Report]) -> Option<f64> {
    let figures = reports
        .iter()
        .filter_map(|report| report.server_cpu_us_per_operation);
    median(figures.collect())
}

fn shown(value: Option<f64>, digits: usize) -> String {
    match value {
        Some(value) => format!("{value:.digits$}"),
        None => "–".to_owned(),
    }
}

/// The middle; none of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Operation, Subject};
    use crate::target::Front;

    fn report(cpu: f64) -> Report {
        Report {
            subject: Subject {
                front: Front::S3,
                operation: Operation::Get,
                size: 4096,
                connections: 8,
            },
            operations: 10,
            errors: 0,
            first_error: None,
            seconds: 1.0,
            operations_per_second: 10.0,
            megabytes_per_second: 1.0,
            p50_ms: 1.0,
            p99_ms: 2.0,
            max_ms: 3.0,
            server_cpu_us_per_operation: Some(cpu),
            server_cpu_s_per_gigabyte: None,
            server_peak_megabytes: Some(cpu),
            tool_cpu_us_per_operation: 1.0,
        }
    }

    #[test]
    fn the_ratio_is_that_of_the_medians() {
        let measured = [
            (NGINX, vec![report(10.0), report(30.0), report(11.0)]),
            ("other", vec![report(22.0)]),
        ];
        let rows = rows(CellKind::Get4KiBHot, 8, &measured);
        assert!(rows[0].ends_with("| 11.0 | – | 1.00 | 30 |"), "{rows:?}");
        assert!(rows[1].ends_with("| 22.0 | – | 2.00 | 22 |"), "{rows:?}");
        let columns = |line: &str| line.matches('|').count();
        for line in HEAD.lines() {
            assert_eq!(columns(line), columns(&rows[0]));
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }
}
