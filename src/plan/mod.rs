//! The planner: for each component the cheapest fixes after which no cycle is left, applied in memory, checked against a new
//! analysis of the new text, accepted or dropped, until nothing more can be done.

mod candidates;
pub mod check;
mod choice;
mod entries;
pub mod feedback;
mod found;
mod gain;
pub mod hoist;
mod idle;
mod relevant;
mod report;
mod solved;
pub mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use elsa::FrozenVec;
use rayon::prelude::*;

use crate::graph::{Edge, Graph, LARGE, counts};
use crate::names::{Names, World};
use crate::outcome::{PlanEntry, ProjectOutcome, Safety};
use crate::project::settings::Level;
use crate::project::{ModuleId, ModuleSet, Project};
use crate::rewrite::{self, Intents, Printed};
use crate::strategy::{self, Context, Cycle, Fix, ImportId, Proposals, Reason, Refusal, steer};
use crate::verify::{self, Damage};
use candidates::Candidates;
use entries::entries;
use solved::Round;
pub use solved::{Solved, Touched, Veto};

/// What the run is at, for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reads imports: files done, files in all.
    Parse(usize, usize),
    /// Cycles dissolved so far, cycles in all.
    Plan(usize, usize),
    /// Imports modules by Python (`--verify`): done, in all.
    Import(usize, usize),
    /// Runs the command of `--verify`.
    Command,
}

/// Time that the proof of a choice may take for one component.
const BUDGET: Duration = Duration::from_secs(2);

/// Rounds of choosing, applying and checking; each drops a fix, removes imports, or ends the loop.
const ROUNDS: usize = 60;

/// Finds the cycles of a project, plans their removal and gives the result.
pub fn solve(project: &Project, progress: &(dyn Fn(Stage) + Sync)) -> ProjectOutcome {
    solve_without(project, &[], progress).outcome
}

/// As [`solve`], with none of the fixes that did not stand before; tells the steps.
pub fn solve_without(project: &Project, vetoes: &[Veto], progress: &(dyn Fn(Stage) + Sync)) -> Solved {
    let states = FrozenVec::new();
    let (outcome, touched, rounds) = solve_on(project, &states, vetoes, progress);
    Solved { outcome, touched, rounds, states }
}

fn solve_on<'p>(
    project: &'p Project,
    states: &'p FrozenVec<Box<Project>>,
    vetoes: &[Veto],
    progress: &(dyn Fn(Stage) + Sync),
) -> (ProjectOutcome, Vec<Touched>, Vec<Round>) {
    let level = project.settings.level;
    let total = project.tree.modules.len();
    let done = AtomicUsize::new(0);
    let read = || progress(Stage::Parse(done.fetch_add(1, Ordering::Relaxed) + 1, total));
    let (graph, names, mut found) = match analysed(project, level, &read) {
        Ok(analysed) => analysed,
        Err(graph) => return (found::nothing(&graph), Vec::new(), Vec::new()),
    };
    let ctx = Context::new(&graph, &names, &found);
    if level == Level::Fragile {
        found::retain_fragile(ctx.world, &mut found);
    }
    let mut plan = Plan { vetoes: vetoes.to_vec(), ..Plan::default() };
    let cycles_before = found.len();
    progress(Stage::Plan(0, cycles_before));
    let mut current: Option<State> = None;
    let mut rounds = ROUNDS;
    loop {
        let next = match &current {
            None => plan.advance(&ctx, &found, states, &mut rounds),
            Some(state) => {
                let left = state.cycles(level);
                let ctx = Context::new(&state.graph, &state.names, &left);
                progress(Stage::Plan(cycles_before.saturating_sub(left.len()), cycles_before));
                plan.advance(&ctx, &left, states, &mut rounds)
            }
        };
        let Some(next) = next else { break };
        // What could not stand beside other imports may do so now.
        plan.dropped.clear();
        current = Some(next);
    }
    let rounds = std::mem::take(&mut plan.rounds);
    let worked_on: BTreeSet<ModuleId> =
        plan.planned.iter().filter(|p| p.applied).flat_map(|p| p.modules.iter().copied()).collect();
    let outcome = report::outcome(&ctx, &found, plan, current.as_ref());
    let cycles = found.iter().filter(|c| c.modules.iter().any(|m| worked_on.contains(m)));
    let cycles = cycles.flat_map(|c| c.modules.iter().copied()).collect();
    let after = current.as_ref().map_or(project, |state| state.graph.project);
    let left = current.as_ref().map_or_else(Vec::new, |state| self::cycles(&state.graph, Level::Eager));
    let left = left.into_iter().flat_map(|c| c.modules).collect();
    let touched = solved::touched(ctx.world, after, &outcome.changes, &cycles, &left);
    (outcome, touched, rounds)
}

/// A project with cycles as far as they need it: its imports, names and cycles. The imports alone if there are none.
fn analysed<'p>(
    project: &'p Project,
    level: Level,
    read: &(dyn Fn() + Sync),
) -> Result<(Graph<'p>, Names<'p>, Vec<Cycle>), Box<Graph<'p>>> {
    let mut graph = Graph::skimmed(project, read);
    let mut found = cycles(&graph, level);
    if found.is_empty() && project.tree.modules.len() <= LARGE {
        // The skim passes over text that is no Python, which the report names.
        graph = Graph::parsed(project);
        found = cycles(&graph, level);
    }
    if found.is_empty() {
        return Err(Box::new(graph));
    }
    let wanted = relevant::modules(&graph, &found);
    let names = Names::new(&mut graph, &wanted);
    let found = cycles(&graph, level);
    if found.is_empty() { Err(Box::new(graph)) } else { Ok((graph, names, found)) }
}

/// The project after some of the plan, analysed.
struct State<'p> {
    graph: Graph<'p>,
    names: Names<'p>,
}

impl<'p> State<'p> {
    fn world(&self) -> World<'_, 'p> {
        World { graph: &self.graph, names: &self.names }
    }

    /// The cycles that are left.
    fn cycles(&self, level: Level) -> Vec<Cycle> {
        let mut left = cycles(&self.graph, level);
        if level == Level::Fragile {
            found::retain_fragile(self.world(), &mut left);
        }
        left
    }
}

/// The components of a level with the edges that count. What the owner says is ignored is looked for in their files alone.
fn cycles(graph: &Graph, level: Level) -> Vec<Cycle> {
    let counted = |e: &Edge| counts(level, e.kind);
    let mut all: Vec<Cycle> = Vec::new();
    for modules in graph.components(counted) {
        let edges = graph.inside(&modules, counted);
        let left: Vec<Edge> = edges.iter().filter(|e| !steer::is_ignored(graph, e)).copied().collect();
        if left.len() == edges.len() {
            all.push(Cycle { modules, edges });
            continue;
        }
        for part in crate::graph::strongly_connected(left.iter().map(|e| (e.from.0, e.to.0))) {
            let inside = |m: ModuleId| part.binary_search(&m.0).is_ok();
            let edges = left.iter().filter(|e| inside(e.from) && inside(e.to)).copied().collect();
            all.push(Cycle { modules: part.iter().map(|m| ModuleId(*m)).collect(), edges });
        }
    }
    all.retain(|c| c.modules.iter().any(|m| graph.project.file(graph.project.module(*m).file).writable));
    all.sort_by(|a, b| b.modules.len().cmp(&a.modules.len()).then_with(|| a.modules.cmp(&b.modules)));
    all
}

/// An import as it can be recognised after the text around it changed.
type ImportKey = (String, String, String);

fn key(graph: &Graph, id: ImportId) -> ImportKey {
    let site = graph.site(id.module, id.site);
    let module = format!("{}{}", ".".repeat(site.level), site.module);
    (graph.project.module(id.module).name.clone(), module, site.shown().to_owned())
}

/// A fix that was accepted or is only shown.
struct Planned {
    fix: Fix,
    /// Edges that it removes, by names, as they were when it was made.
    removes: Vec<report::Removed>,
    modules: BTreeSet<ModuleId>,
    files: Vec<String>,
    applied: bool,
}

/// A refusal with the names it had when it was made.
struct Refused {
    refusal: Refusal,
    key: ImportKey,
    file: String,
    line: usize,
}

#[derive(Default)]
struct Plan {
    planned: Vec<Planned>,
    refused: BTreeMap<(ImportKey, &'static str), Refused>,
    /// Fixes that did not stand the check, by import, strategy and form.
    dropped: BTreeSet<(ImportKey, &'static str, Option<&'static str>)>,
    /// Fixes that did not stand when they were run.
    vetoes: Vec<Veto>,
    /// Modules of cycles for whose choice some proof took too long.
    unproved: ModuleSet,
    /// What was accepted, in order.
    rounds: Vec<Round>,
    /// The state that was accepted last, as an index.
    accepted: Option<usize>,
    /// The choices of the round being tried, and those whose round was accepted: of each component the first.
    tried: Vec<(Vec<ModuleId>, PlanEntry)>,
    choices: Vec<(Vec<ModuleId>, PlanEntry)>,
}

/// What came of fixes that did not stand.
struct Tried<'p> {
    state: State<'p>,
    printed: Printed,
}

enum Step<'p> {
    Accepted(Box<State<'p>>),
    /// With what was tried, if it came to that.
    Dropped(Option<Box<Tried<'p>>>),
    Done,
}

impl Plan {
    /// The next state: as [`round`](Self::round), until something stands. `None` if nothing does, or after the last of `rounds`.
    fn advance<'p>(
        &mut self,
        ctx: &Context<'_, 'p>,
        cycles: &[Cycle],
        states: &'p FrozenVec<Box<Project>>,
        rounds: &mut usize,
    ) -> Option<State<'p>> {
        let mut candidates: Vec<Candidates> = Vec::new();
        let mut tried: Option<Box<Tried<'p>>> = None;
        while *rounds > 0 {
            *rounds -= 1;
            match self.round(ctx, cycles, &mut candidates, tried.as_deref(), states) {
                Step::Accepted(next) => return Some(*next),
                Step::Dropped(last) => tried = last.or(tried),
                Step::Done => break,
            }
        }
        None
    }

    /// One choice over all cycles, applied together and checked. `candidates` are those of the cycles that were looked at before,
    /// `tried` is what came of the round before.
    fn round<'p>(
        &mut self,
        ctx: &Context<'_, 'p>,
        cycles: &[Cycle],
        candidates: &mut Vec<Candidates>,
        tried: Option<&Tried<'p>>,
        states: &'p FrozenVec<Box<Project>>,
    ) -> Step<'p> {
        let mut chosen: Vec<Fix> = Vec::new();
        self.tried.clear();
        let is_first = candidates.is_empty();
        let ask = |cycle: &Cycle| strategy::propose(ctx, cycle);
        let proposed: Vec<Proposals> = cycles.par_iter().filter(|_| is_first).map(ask).collect();
        let mut proposed = proposed.into_iter();
        for (index, cycle) in cycles.iter().enumerate() {
            if let Some(mut proposals) = proposed.next() {
                self.heed_vetoes(ctx, &mut proposals);
                self.note(ctx, &mut proposals);
                candidates.push(Candidates::new(proposals.fixes));
            }
            let dropped = |f: &Fix| {
                f.removes.iter().any(|i| self.dropped.contains(&(key(ctx.world.graph, *i), f.strategy, f.form)))
            };
            candidates[index].without(dropped);
            // What took too long to prove once is not worth the time again.
            let budget = if cycle.modules.iter().any(|m| self.unproved.contains(m)) { Duration::ZERO } else { BUDGET };
            let choice = candidates[index].choose(ctx.world.graph, cycle, budget);
            if choice.late {
                self.unproved.extend(cycle.modules.iter().copied());
            }
            match &choice.fixes {
                Err(little) => {
                    let gain::LittleGain { fix, message } = &**little;
                    self.refuse_fix(ctx, fix, Reason::LittleGain, message.clone());
                }
                Ok(fixes) if fixes.is_empty() => {}
                Ok(fixes) => {
                    self.tried.push((cycle.modules.clone(), choice.entry));
                    chosen.extend(fixes.iter().cloned());
                }
            }
        }
        if chosen.is_empty() {
            for (candidates, cycle) in candidates.iter().zip(cycles) {
                idle::refusals(ctx, cycle, candidates.fixes())
                    .into_iter()
                    .for_each(|refusal| self.refuse(ctx, refusal));
            }
            return Step::Done;
        }
        self.try_all(ctx, one_move_a_module(chosen), cycles, tried, states)
    }

    /// Refuses what failed when it was run.
    fn heed_vetoes(&mut self, ctx: &Context, proposals: &mut Proposals) {
        for veto in self.vetoes.clone() {
            let (bad, good): (Vec<Fix>, Vec<Fix>) = proposals.fixes.drain(..).partition(|f| veto.meets(ctx, f));
            proposals.fixes = good;
            for fix in &bad {
                self.refuse_fix(ctx, fix, Reason::FailedVerification, veto.message.clone());
            }
        }
    }

    /// Keeps refusals, and puts aside the fixes that are only shown.
    fn note(&mut self, ctx: &Context, proposals: &mut Proposals) {
        for refusal in proposals.refusals.drain(..) {
            self.refuse(ctx, refusal);
        }
        if ctx.project().settings.unsafe_fixes {
            return;
        }
        let (safe, unsafe_fixes): (Vec<Fix>, Vec<Fix>) =
            proposals.fixes.drain(..).partition(|f| f.safety == Safety::Safe);
        proposals.fixes = safe;
        for fix in unsafe_fixes {
            let known = |p: &Planned| p.fix.title == fix.title;
            if !self.planned.iter().any(known) {
                self.planned.push(planned(ctx, fix, false));
            }
        }
    }

    fn refuse(&mut self, ctx: &Context, refusal: Refusal) {
        let key = key(ctx.world.graph, refusal.import);
        self.refused.entry((key.clone(), refusal.strategy)).or_insert_with(|| {
            let (file, line) = found::place(ctx.world, refusal.at);
            Refused { refusal, key, file, line }
        });
    }

    fn drop_fix(&mut self, ctx: &Context, fix: &Fix, reason: Reason, message: String) {
        for import in &fix.removes {
            self.dropped.insert((key(ctx.world.graph, *import), fix.strategy, fix.form));
        }
        self.refuse_fix(ctx, fix, reason, message);
    }

    fn refuse_fix(&mut self, ctx: &Context, fix: &Fix, reason: Reason, message: String) {
        let import = fix.removes[0];
        let at = (import.module, ctx.world.graph.site(import.module, import.site).at);
        self.refuse(ctx, Refusal { strategy: fix.strategy, import, reason, message, at });
    }

    /// Applies the fixes together; on damage, drops those that caused it.
    fn try_all<'p>(
        &mut self,
        ctx: &Context<'_, 'p>,
        mut fixes: Vec<Fix>,
        cycles: &[Cycle],
        tried: Option<&Tried<'p>>,
        states: &'p FrozenVec<Box<Project>>,
    ) -> Step<'p> {
        loop {
            strategy::complete(ctx, &mut fixes);
            let intents = intents(&fixes);
            let tree = |module| ctx.world.names.ast(module);
            let printed = tried.map(|tried| &tried.printed);
            let change = match rewrite::change(ctx.project(), &intents, printed, &tree) {
                Ok(change) => change,
                Err((module, error)) => {
                    let is_bad = |fix: &Fix| touches(fix, &BTreeSet::from([module]));
                    self.drop_where(ctx, &mut fixes, &is_bad, Reason::Form, &error.to_string());
                    if fixes.is_empty() {
                        return Step::Dropped(None);
                    }
                    continue;
                }
            };
            let mut next = change.apply(ctx.project());
            tried.into_iter().for_each(|tried| next.share(tried.state.graph.project));
            let next = states.push_get(Box::new(next));
            let (graph, names) = ctx.world.after(next, tried.map(|tried| tried.state.world()));
            let changed: BTreeSet<ModuleId> = intents.modules.keys().copied().collect();
            let expected = fixes.iter().flat_map(|f| &f.adds).map(|added| (added.from, added.to)).collect();
            let state = State { graph, names };
            let damage = damage(ctx, &state, cycles, &changed, &expected);
            if !damage.is_empty() {
                self.drop_blamed(ctx, fixes, cycles, &damage);
                return Step::Dropped(Some(Box::new(Tried { state, printed: Printed { intents, change } })));
            }
            let keyed = |fix: &Fix| fix.removes.iter().map(|import| key(ctx.world.graph, *import)).collect();
            let before = self.accepted.replace(states.len() - 1);
            self.rounds.push(Round { before, fixes: fixes.iter().map(|fix| (fix.clone(), keyed(fix))).collect() });
            for fix in fixes {
                self.planned.push(planned(ctx, fix, true));
            }
            self.choices.append(&mut self.tried);
            return Step::Accepted(Box::new(state));
        }
    }

    /// Drops a fix for each damage, of those that may have caused it. What else befalls their cycles is left for the next choice.
    fn drop_blamed(&mut self, ctx: &Context, mut fixes: Vec<Fix>, cycles: &[Cycle], damage: &[Damage]) {
        let members = |index: usize| cycles[index].modules.iter().map(move |m| (*m, index));
        let cycle_of: BTreeMap<ModuleId, usize> = (0..cycles.len()).flat_map(members).collect();
        let mut settled: BTreeSet<usize> = BTreeSet::new();
        for damage in damage {
            let mends = |fix: &Fix| removes_any(ctx, fix, &damage.missed);
            let is_known = fixes.iter().any(mends);
            let is_blamed = |fix: &Fix| if is_known { mends(fix) } else { touches(fix, &damage.modules) };
            let near: BTreeSet<usize> =
                fixes.iter().filter(|f| is_blamed(f)).map(|f| cycle_of[&f.removes[0].module]).collect();
            if near.is_disjoint(&settled) {
                settled.extend(near);
                self.drop_where(ctx, &mut fixes, &is_blamed, Reason::FailedCheck, &damage.what);
            }
        }
    }

    fn drop_where(
        &mut self,
        ctx: &Context,
        fixes: &mut Vec<Fix>,
        is_bad: &dyn Fn(&Fix) -> bool,
        reason: Reason,
        message: &str,
    ) {
        let (bad, good): (Vec<Fix>, Vec<Fix>) = fixes.drain(..).partition(is_bad);
        *fixes = good;
        // The dearest first: one at a time, so that innocent neighbours get another chance.
        let Some(worst) = bad.iter().max_by_key(|f| (f.cost, f.removes[0])) else { return };
        self.drop_fix(ctx, worst, reason, message.to_owned());
        let rest: Vec<Fix> = bad.iter().filter(|f| f.removes != worst.removes).cloned().collect();
        fixes.extend(rest);
    }
}

/// Whether a fix takes away one of some imports of modules by others.
fn removes_any(ctx: &Context, fix: &Fix, imports: &BTreeSet<(ModuleId, ModuleId)>) -> bool {
    let edges = |import: &ImportId| {
        let site = import.site;
        ctx.world.graph.edges_of(import.module).iter().filter(move |edge| edge.site == site)
    };
    fix.removes.iter().flat_map(edges).any(|edge| imports.contains(&(edge.from, edge.to)))
}

fn touches(fix: &Fix, modules: &BTreeSet<ModuleId>) -> bool {
    fix.intents.iter().any(|(module, _)| modules.contains(module))
}

/// What got worse in the state after a change of the modules that are `changed`, or that nothing became better.
fn damage(
    ctx: &Context,
    after: &State,
    cycles: &[Cycle],
    changed: &BTreeSet<ModuleId>,
    expected: &BTreeSet<(ModuleId, ModuleId)>,
) -> Vec<Damage> {
    let damage = verify::compare(ctx, &after.graph, &after.names, changed, expected);
    if !damage.is_empty() {
        return damage;
    }
    let entries = entries(ctx, &after.graph, cycles, changed);
    let mut damage = verify::new_outcomes(ctx.world, after.world(), &entries);
    for Damage { modules, .. } in &mut damage {
        let near: BTreeSet<ModuleId> = modules.intersection(changed).copied().collect();
        *modules = if near.is_empty() { changed.clone() } else { near };
    }
    if damage.is_empty() && !shrinks(ctx, &after.graph, cycles) {
        damage.push(Damage::new("no cycle becomes smaller".to_owned(), changed.clone()));
    }
    damage
}

/// What some fixes do together.
fn intents<'f>(fixes: impl IntoIterator<Item = &'f Fix>) -> Intents {
    let mut intents = Intents::default();
    for fix in fixes {
        for (module, intent) in &fix.intents {
            intents.modules.entry(*module).or_default().insert(intent.clone());
        }
        intents.files.extend(fix.creates.iter().cloned());
    }
    intents
}

/// Fixes that take definitions out of the same module, or bring the same file, do not know of each other: the first goes
/// ahead, the others come again in the next round.
fn one_move_a_module(fixes: Vec<Fix>) -> Vec<Fix> {
    let (mut sources, mut paths) = (BTreeSet::new(), BTreeSet::new());
    let mut alone = |fix: &Fix| {
        let taken = fix.intents.iter().filter(|(_, i)| matches!(i, rewrite::Intent::Take { .. }));
        let from: BTreeSet<ModuleId> = taken.map(|(module, _)| *module).collect();
        let new: BTreeSet<String> = fix.creates.iter().map(|f| f.path.clone()).collect();
        let free = sources.is_disjoint(&from) && paths.is_disjoint(&new);
        if free {
            sources.extend(from);
            paths.extend(new);
        }
        free
    };
    fixes.into_iter().filter(|f| alone(f)).collect()
}

fn planned(ctx: &Context, fix: Fix, applied: bool) -> Planned {
    let modules = fix.removes.iter().map(|i| i.module).collect();
    let removes = report::removed(ctx, &fix);
    let files = report::files(ctx, &fix);
    Planned { fix, removes, modules, files, applied }
}

/// Whether the imports inside the components became fewer.
fn shrinks(ctx: &Context, after: &Graph, before: &[Cycle]) -> bool {
    let level = ctx.project().settings.level;
    let pairs = |cycles: &[Cycle]| -> usize {
        cycles.iter().map(|c| c.edges.iter().map(|e| (e.from, e.to)).collect::<BTreeSet<_>>().len()).sum()
    };
    pairs(&cycles(after, level)) < pairs(before)
}
