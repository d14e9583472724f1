//! A plan taken apart: steps that stand alone, one a cycle where that can be. After each step every file parses, the step's
//! cycles are gone, and nothing is worse than before it; the last one ends where the plan does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use elsa::FrozenVec;

use super::{State, analysed, entries};
use crate::graph::Graph;
use crate::names::World;
use crate::outcome::{FileChange, Kind, ProjectOutcome, Status, Step};
use crate::project::{FileId, ModuleId, Project, SourceFile};
use crate::strategy::{Context, Cycle};
use crate::verify;

/// The steps of a plan, in the order of its cycles. `project` is the one that the plan was made for. Before that order comes
/// what `key` says of the paths of a step's files.
pub fn steps(project: &Project, outcome: &ProjectOutcome, key: &dyn Fn(&[&str]) -> Vec<String>) -> Vec<Step> {
    let mut groups = groups(outcome);
    groups.sort_by_cached_key(|group| {
        let paths: Vec<&str> = group.changes.iter().map(|change| change.path.as_str()).collect();
        (key(&paths), group.cycles.clone())
    });
    if groups.len() < 2 || outcome.changes.iter().any(|change| change.after.is_none()) {
        return whole(outcome);
    }
    let level = project.settings.level;
    let Ok((graph, names, _)) = analysed(project, level, &|| ()) else { return whole(outcome) };
    let states = FrozenVec::new();
    let ordered = groups.iter().flat_map(|group| &group.changes);
    let end = states.push_get(Box::new(advance(project, ordered)));
    let (end, _) = World { graph: &graph, names: &names }.after(end, None);
    let replay = Replay { outcome, end: &end, states: &states };
    let mut current = State { graph, names };
    let (mut out, mut open): (Vec<Step>, Group) = (Vec::new(), Group::default());
    for (index, group) in groups.iter().enumerate() {
        open.join(group);
        if index + 1 == groups.len() {
            out.push(std::mem::take(&mut open).step());
        } else if let Some(next) = replay.try_step(&current, &open) {
            out.push(std::mem::take(&mut open).step());
            current = next;
        }
    }
    out
}

/// The plan as one step; none if it changes nothing.
pub fn whole(outcome: &ProjectOutcome) -> Vec<Step> {
    if outcome.changes.is_empty() {
        return Vec::new();
    }
    let touched = (0..outcome.cycles.len()).filter(|index| outcome.cycles[*index].fixes.iter().any(|fix| fix.applied));
    vec![Step { cycles: touched.collect(), changes: outcome.changes.clone() }]
}

/// Cycles whose fixes touch the same files, and those files.
#[derive(Default)]
struct Group<'o> {
    cycles: Vec<usize>,
    changes: Vec<&'o FileChange>,
}

impl<'o> Group<'o> {
    fn join(&mut self, other: &Group<'o>) {
        self.cycles.extend(&other.cycles);
        self.changes.extend(&other.changes);
    }

    fn step(mut self) -> Step {
        self.cycles.sort_unstable();
        self.changes.sort_by(|a, b| a.path.cmp(&b.path));
        Step { cycles: self.cycles, changes: self.changes.into_iter().cloned().collect() }
    }
}

/// What can go by itself, as far as the files tell. One group if a change belongs to no cycle alone.
fn groups(outcome: &ProjectOutcome) -> Vec<Group<'_>> {
    let changes: BTreeMap<&str, &FileChange> = outcome.changes.iter().map(|c| (c.path.as_str(), c)).collect();
    let mut sets: Vec<(Vec<usize>, BTreeSet<&str>)> = Vec::new();
    for (index, cycle) in outcome.cycles.iter().enumerate() {
        let fixes = cycle.fixes.iter().filter(|fix| fix.applied);
        let files = fixes.flat_map(|fix| &fix.files).map(String::as_str).filter(|file| changes.contains_key(file));
        let mut set = (vec![index], files.collect::<BTreeSet<&str>>());
        if set.1.is_empty() {
            continue;
        }
        let (same, apart): (Vec<_>, Vec<_>) = sets.into_iter().partition(|other| !other.1.is_disjoint(&set.1));
        for (cycles, files) in same {
            set.0.extend(cycles);
            set.1.extend(files);
        }
        sets = apart;
        sets.push(set);
    }
    let known: usize = sets.iter().map(|(_, files)| files.len()).sum();
    if known < changes.len() {
        return Vec::new();
    }
    let mut groups: Vec<Group> = sets
        .into_iter()
        .map(|(cycles, files)| Group { cycles, changes: files.iter().map(|file| changes[file]).collect() })
        .collect();
    groups.iter_mut().for_each(|group| group.cycles.sort_unstable());
    groups
}

struct Replay<'a, 'p> {
    outcome: &'a ProjectOutcome,
    /// The imports at the end of the plan. Ids are the same in every state, as files come new in the same order.
    end: &'a Graph<'p>,
    states: &'p FrozenVec<Box<Project>>,
}

impl<'p> Replay<'_, 'p> {
    /// The state after `group`; `None` if it does not stand without what follows.
    fn try_step(&self, current: &State<'p>, group: &Group) -> Option<State<'p>> {
        let project = current.graph.project;
        let level = project.settings.level;
        let left = current.cycles(level);
        let ctx = Context::new(&current.graph, &current.names, &left);
        let next = self.states.push_get(Box::new(advance(project, &group.changes)));
        let (graph, names) = ctx.world.after(next, None);
        let paths: BTreeSet<&str> = group.changes.iter().map(|change| change.path.as_str()).collect();
        let is_changed = |id: &ModuleId| paths.contains(project.file(project.module(*id).file).path.as_str());
        let changed: BTreeSet<ModuleId> = project.modules().map(|(id, _)| id).filter(is_changed).collect();
        let new = self.end.edges.iter().filter(|edge| edge.kind == Kind::Eager).map(|edge| (edge.from, edge.to));
        if !verify::compare(&ctx, &graph, &names, &changed, &new.collect()).is_empty() {
            return None;
        }
        let entries = entries(&ctx, &graph, &left, &changed);
        if !verify::new_outcomes(ctx.world, World { graph: &graph, names: &names }, &entries).is_empty() {
            return None;
        }
        let state = State { graph, names };
        self.is_dissolved(&state.cycles(level), next, group).then_some(state)
    }

    /// Whether the cycles of the group that the plan dissolves are gone, and no cycle is there that was not there before.
    fn is_dissolved(&self, left: &[Cycle], project: &Project, group: &Group) -> bool {
        let planned = |index: &&usize| matches!(self.outcome.cycles[**index].status, Status::Planned | Status::Fixed);
        let dissolved = group.cycles.iter().filter(planned);
        let gone: BTreeSet<&str> =
            dissolved.flat_map(|index| &self.outcome.cycles[*index].modules).map(String::as_str).collect();
        let known: BTreeSet<&str> =
            self.outcome.cycles.iter().flat_map(|cycle| &cycle.modules).map(String::as_str).collect();
        let names = left.iter().flat_map(|cycle| &cycle.modules).map(|id| project.module(*id).name.as_str());
        names.into_iter().all(|name| known.contains(name) && !gone.contains(name))
    }
}

/// The project after some changes. Ids of its files and modules stay; new ones stand behind them, in the order of `changes`.
fn advance<'c>(project: &Project, changes: impl IntoIterator<Item = &'c &'c FileChange>) -> Project {
    let mut next = project.clone();
    let index: BTreeMap<String, usize> =
        next.files.iter().enumerate().map(|(i, file)| (file.path.clone(), i)).collect();
    for change in changes {
        let text = change.after.clone().unwrap_or_else(|| Arc::from(""));
        match index.get(&change.path) {
            Some(index) => next.rewrite(FileId(*index as u32), text),
            None => {
                next.add(SourceFile { path: change.path.clone(), text, trouble: None, writable: true });
            }
        }
    }
    next
}
