//! Checks that the modules of this crate have no import cycles.
//!
//! Imports are read from the source text: every path that begins with `crate::`, in a `use` or elsewhere. Test code is
//! ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules, each with those that it imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// A file of a module, and the directory of its submodules.
struct Source {
    text: String,
    submodules: PathBuf,
}

impl Source {
    fn read(file: &Path, submodules: PathBuf) -> Self {
        let text = fs::read_to_string(file).unwrap();
        Self {
            text: without_tests(&without_comments(&text)),
            submodules,
        }
    }

    /// The names of the modules that the file declares.
    fn declared(&self) -> Vec<String> {
        let lines = self.text.lines().map(str::trim);
        let declared = lines.filter_map(|line| line.strip_suffix(';')?.split_once("mod "));
        declared
            .filter(|(visibility, _)| visibility.is_empty() || visibility.starts_with("pub"))
            .map(|(_, name)| name.to_owned())
            .collect()
    }

    fn submodule(&self, name: &str) -> Self {
        let folder = self.submodules.join(name);
        let file = self.submodules.join(format!("{name}.rs"));
        match file.exists() {
            true => Self::read(&file, folder),
            false => Self::read(&folder.join("mod.rs"), folder),
        }
    }

    /// The text of the file and of all its submodules.
    fn whole(&self) -> String {
        let submodules = self.declared().into_iter();
        let texts = submodules.map(|name| self.submodule(&name).whole());
        texts.fold(self.text.clone(), |whole, text| whole + "\n" + &text)
    }

    /// Imports among the modules that the file declares: paths that begin with one of `prefixes`.
    fn graph(&self, prefixes: &[&str]) -> Graph {
        let modules: BTreeSet<String> = self.declared().into_iter().collect();
        let imports = |name: &String| {
            let text = self.submodule(name).whole();
            let paths = prefixes.iter().flat_map(|prefix| imported(&text, prefix));
            let others = paths.filter(|path| path != name && modules.contains(path));
            others.collect::<BTreeSet<_>>()
        };
        let edges = modules.iter().map(|name| (name.clone(), imports(name)));
        edges.collect()
    }
}

fn without_comments(text: &str) -> String {
    let lines = text.lines();
    let code = lines.map(|line| line.find("//").map_or(line, |at| &line[..at]));
    code.collect::<Vec<_>>().join("\n")
}

/// Removes test modules: those in the same file, together with the rest of it, and those in files of their own.
fn without_tests(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let of_tests =
            line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.contains("mod "));
        match lines.peek() {
            Some(next) if of_tests && next.ends_with(';') => drop(lines.next()),
            Some(_) if of_tests => break,
            Some(_) | None => kept.push(line),
        }
    }
    kept.join("\n")
}

/// The first names after `prefix` in all paths of the text, those in braces included.
fn imported(text: &str, prefix: &str) -> Vec<String> {
    let starts = text.match_indices(prefix).map(|(at, _)| at);
    let whole =
        starts.filter(|at| !text[..*at].ends_with(|before| is_of_name(before) || before == ':'));
    whole
        .flat_map(|at| names(&text[at + prefix.len()..]))
        .collect()
}

fn names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        text.chars()
            .take_while(|c| is_of_name(*c))
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut depth = 0;
    let mut found = vec![name(group.trim_start())];
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    found
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// All modules that a module imports, directly or indirectly.
fn reachable<'a>(graph: &'a Graph, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut left = vec![from];
    while let Some(module) = left.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if found.insert(next.as_str()) {
                left.push(next);
            }
        }
    }
    found
}

/// The sets of modules that import each other.
fn cycles(graph: &Graph) -> BTreeSet<Vec<&str>> {
    let in_cycle = |module: &&String| reachable(graph, module).contains(module.as_str());
    let with_others = |module: &String| {
        let others = reachable(graph, module).into_iter();
        let mutual = others.filter(|other| reachable(graph, other).contains(module.as_str()));
        mutual.collect()
    };
    graph.keys().filter(in_cycle).map(with_others).collect()
}

fn crate_root() -> Source {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    Source::read(&folder.join("lib.rs"), folder)
}

#[test]
fn the_modules_of_the_crate_have_no_cycles() {
    let graph = crate_root().graph(&["crate::"]);
    assert!(graph["ops"].contains("request"), "{graph:?}");
    assert_eq!(cycles(&graph), BTreeSet::new(), "{graph:?}");
}

/// These files are the boundary between callers and everything else, so they are checked individually.
#[test]
fn the_files_of_a_request_have_no_cycles() {
    let graph = crate_root()
        .submodule("request")
        .graph(&["super::", "crate::request::"]);
    assert!(graph["admission"].contains("requirement"), "{graph:?}");
    assert_eq!(cycles(&graph), BTreeSet::new(), "{graph:?}");
}

#[test]
fn cycles_are_found() {
    let imports = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let graph = Graph::from([
        ("a".to_owned(), imports(&["b"])),
        ("b".to_owned(), imports(&["c", "d"])),
        ("c".to_owned(), imports(&["a"])),
        ("d".to_owned(), imports(&[])),
    ]);
    assert_eq!(cycles(&graph), BTreeSet::from([vec!["a", "b", "c"]]));
}

#[test]
fn imports_are_read_from_the_text() {
    let text = "use crate::one::{A, B};\nuse crate::{two::C, three::{D, E}, four};\nfn f() -> crate::five::F {}\n\
                // crate::six\nuse other_crate::seven;\n#[cfg(test)]\nmod tests {\n    use crate::eight;\n}\n";
    let text = without_tests(&without_comments(text));
    assert_eq!(
        imported(&text, "crate::"),
        ["one", "two", "three", "four", "five"]
    );
}
