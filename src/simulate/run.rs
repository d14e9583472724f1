//! Statements.

use rustc_hash::FxHashMap;

use super::arguments::Given;
use super::state::{Cell, Defined, Delta, Object, Reads, Space, State, Text};
use super::{Failure, Frame, Outcome, Simulator, Trouble, Verdict};
use crate::names::body::{Act, Block, Catches, Error, Step, Value, What};
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::ast::Leave;

/// What is raised.
#[derive(Clone, Debug)]
pub struct Raised {
    pub class: Error,
    /// `None`: for a reason that has nothing to do with how far another module has come.
    pub failure: Option<Box<Failure>>,
}

/// Why a block ends before its end.
pub enum Stop<'p> {
    Raise(Raised),
    Return(Object<'p>),
    Leave(Leave),
}

impl From<Raised> for Stop<'_> {
    fn from(raised: Raised) -> Self {
        Self::Raise(raised)
    }
}

/// A body that is being run.
pub struct Level<'w, 'p> {
    pub module: ModuleId,
    /// The name of a function or class; `None` at the module's own level.
    pub function: Option<&'p str>,
    /// Where a function that was called is defined; and how many statements were run before that.
    pub called: Option<usize>,
    pub begun: usize,
    pub text: Text,
    pub space: Space,
    pub globals: &'w [&'p str],
    pub nonlocals: &'w [&'p str],
    /// Where names are bound, inside comprehensions as well.
    pub own: Space,
    /// The statement that is being run, and what of it is being evaluated.
    pub span: Span,
    pub at: Span,
    /// Whether it may have been left already on a way that is not followed.
    pub left: bool,
    /// Whether the loop that is being run may have been left on such a way.
    pub broken: bool,
}

impl<'p> Level<'_, 'p> {
    /// The own level of a module, or that of a function or class.
    pub fn new(module: ModuleId, function: Option<&'p str>, text: Text, space: Space) -> Self {
        let (span, at) = (Span::default(), Span::default());
        Self {
            module,
            function,
            called: None,
            begun: 0,
            text,
            space,
            globals: &[],
            nonlocals: &[],
            own: space,
            span,
            at,
            left: false,
            broken: false,
        }
    }

    /// Whether it is the own level of a module.
    pub fn is_module(&self) -> bool {
        self.function.is_none()
    }
}

/// A state to come back to.
#[derive(Clone)]
pub struct Mark {
    pub changes: usize,
    pub spaces: usize,
    pub doubts: usize,
    pub caught: usize,
}

/// Statements after which calls are no longer followed.
const STEPS: usize = 100_000;

/// Statements that what one statement of a module calls may run, before calls in it are no longer followed: nearly always
/// they do the same again with other arguments.
const STEPS_OF_ONE: usize = 5_000;

/// Namespaces of a module: its own, that of its half-filled star imports, and that of the names it did not get.
pub const NAMESPACES: usize = 3;

pub struct Run<'s, 'w, 'p> {
    pub simulator: &'s Simulator<'w, 'p>,
    pub state: State<'p>,
    pub levels: Vec<Level<'w, 'p>>,
    /// Failures on some of the ways that were run, the first first.
    pub doubts: Vec<Raised>,
    /// Failures that a handler took, in order.
    pub caught: Vec<Trouble>,
    /// What is being handled: a bare `raise` raises it again.
    pub handling: Vec<Option<Raised>>,
    /// Whether something ran that may raise for reasons of its own.
    pub risky: bool,
    pub steps: usize,
    /// What the handlers around what is being run take, the innermost last.
    pub watching: Vec<Catches>,
    /// Calls that were followed already, with what they gave and what that depends on.
    pub called: FxHashMap<(Defined, Given<'p>), (Object<'p>, Reads<'p>)>,
}

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    pub fn new(simulator: &'s Simulator<'w, 'p>, state: State<'p>) -> Self {
        Self {
            simulator,
            state,
            levels: Vec::new(),
            doubts: Vec::new(),
            caught: Vec::new(),
            handling: Vec::new(),
            risky: false,
            steps: 0,
            watching: Vec::new(),
            called: FxHashMap::default(),
        }
    }

    pub fn mark(&self) -> Mark {
        Mark {
            changes: self.state.mark(),
            spaces: self.state.spaces(),
            doubts: self.doubts.len(),
            caught: self.caught.len(),
        }
    }

    pub fn rewind(&mut self, mark: &Mark) {
        self.state.undo(mark.changes);
        self.state.forget(mark.spaces);
        self.doubts.truncate(mark.doubts);
        self.caught.truncate(mark.caught);
        self.called.clear();
        self.steps = 0;
    }

    /// Imports a module from outside; gives what keeps everything below it from being imported.
    pub fn enter(&mut self, module: ModuleId) -> Option<Verdict> {
        let raised = self.load(module).err()?;
        self.levels.clear();
        self.handling.clear();
        self.watching.clear();
        Some(match raised.failure {
            Some(failure) => Verdict::Fails(*failure),
            // It would fail in any order.
            None => self.doubt(),
        })
    }

    /// What the ways that were run besides say.
    pub fn doubt(&self) -> Verdict {
        let first = self.doubts.iter().find_map(|d| d.failure.clone());
        first.map_or(Verdict::Fine, |failure| Verdict::May(*failure))
    }

    /// What it comes to by now, given what becomes of the import.
    pub fn outcome(&self, verdict: Verdict) -> Outcome {
        let doubts = self.doubts.iter().filter_map(|d| d.failure.as_deref().cloned()).collect();
        Outcome { verdict, doubts, caught: self.caught.clone() }
    }

    /// Whether as much has been run by now as is worth following.
    pub fn is_enough(&self) -> bool {
        let calls = self.levels.iter().rev().take_while(|l| !l.is_module()).filter(|l| l.called.is_some());
        self.steps > STEPS || calls.last().is_some_and(|first| self.steps - first.begun > STEPS_OF_ONE)
    }

    pub fn level(&mut self) -> &mut Level<'w, 'p> {
        self.levels.last_mut().expect("statements run in a body")
    }

    pub fn module(&self) -> ModuleId {
        self.levels.last().map_or(ModuleId(0), |l| l.module)
    }

    /// A function that the body which is being run defines.
    pub fn defined(&self, index: u32) -> Defined {
        Defined { module: self.module(), text: self.text(), index, outer: self.space() }
    }

    /// What the body that is being run was made from.
    pub fn text(&self) -> Text {
        self.levels.last().map_or(Text::Own, |l| l.text)
    }

    pub fn space(&self) -> Space {
        self.levels.last().map_or(0, |l| l.space)
    }

    /// A failure at the place that is being run.
    pub fn fail(&self, class: Error, error: String) -> Raised {
        let frame = |l: &Level| Frame { module: l.module, function: l.function.map(str::to_owned), span: l.at };
        let chain = self.levels.iter().map(frame).collect();
        Raised { class, failure: Some(Box::new(Failure { error, chain })) }
    }

    /// A handler takes what was raised.
    pub fn take(&mut self, raised: &Raised) {
        self.caught.extend(raised.failure.iter().map(|failure| Trouble::of(failure)));
    }

    pub fn block(&mut self, block: &'w [Step<'p>]) -> Result<(), Stop<'p>> {
        for step in block {
            self.steps += 1;
            self.run_from(step.span);
            self.act(step)?;
        }
        Ok(())
    }

    fn run_from(&mut self, statement: Span) {
        let level = self.level();
        (level.span, level.at) = (statement, statement);
    }

    fn act(&mut self, step: &'w Step<'p>) -> Result<(), Stop<'p>> {
        match &step.act {
            Act::Import(sites) => sites.clone().try_for_each(|site| self.import(site))?,
            Act::Evaluate(value) => drop(self.evaluate(value)?),
            Act::Assign { targets, value } => {
                let object = self.evaluate(value)?;
                let object = self.opened(value, object);
                targets.iter().try_for_each(|target| self.assign(target, object))?;
            }
            Act::Function { function, decorators, evaluated } => {
                let given = self.evaluate_all(decorators)?;
                self.evaluate_all(evaluated)?;
                self.level().at = step.span;
                let defined = self.defined(*function);
                let name = self.program(defined.module, defined.text).functions[*function as usize].name;
                let object = self.decorated(decorators, given, Object::Function(defined))?;
                self.bind(name, object);
            }
            Act::Class { class, decorators } => {
                let given = self.evaluate_all(decorators)?;
                self.level().at = step.span;
                let (name, object) = self.create_class(*class)?;
                let object = self.decorated(decorators, given, object)?;
                self.bind(name, object);
            }
            Act::Delete(names) => {
                for target in names {
                    self.delete(target)?;
                }
            }
            Act::If(arms) => self.arms(arms, step.span)?,
            Act::Loop { head, target, body, orelse } => self.looped(head, target.as_ref(), body, orelse)?,
            Act::Try { body, handlers, orelse, finally } => {
                let outcome = self.attempt(body, handlers, orelse);
                self.block(finally)?;
                outcome?;
            }
            Act::With { items, suppresses, body } => {
                let mut own = false;
                let mut contexts = Vec::new();
                for (item, target) in items {
                    own |= self.is_called_of_project(item)?;
                    let object = self.evaluate(item)?;
                    own |= !matches!(item.what, What::Call { .. }) && matches!(object, Object::Instance(_));
                    let given = self.special(object, "__enter__", Vec::new())?;
                    contexts.push(object);
                    if let Some(target) = target {
                        self.assign(target, given)?;
                    }
                }
                match (suppresses, own) {
                    (Some(catches), _) => self.suppressed(body, *catches)?,
                    (None, true) => self.perhaps_suppressed(body)?,
                    (None, false) => self.block(body)?,
                }
                for object in contexts.into_iter().rev() {
                    self.special(object, "__exit__", vec![Object::None, Object::None, Object::None])?;
                }
            }
            Act::Match { subject, arms, total } => {
                self.evaluate(subject)?;
                let ways: Vec<&'w [Step<'p>]> =
                    arms.iter().map(Vec::as_slice).chain((!total).then_some(&[][..])).collect();
                self.ways(&ways)?;
            }
            Act::Return(value) => return Err(Stop::Return(self.evaluate(value)?)),
            Act::Raise { value, class } => {
                let doubts = self.doubts.len();
                if let Err(raised) = self.evaluate(value) {
                    let own = Raised { class: *class, failure: None };
                    return Err(Stop::Raise(if self.is_taken(*class) { raised } else { own }));
                }
                if !self.is_taken(*class) {
                    self.doubts.truncate(doubts);
                }
                // What is raised while a failure is handled is the failure in other words.
                let handled = self.handling.iter().rev().find_map(Clone::clone);
                return Err(Stop::Raise(Raised { class: *class, failure: handled.and_then(|h| h.failure) }));
            }
            Act::RaiseAgain => {
                let handled = self.handling.iter().rev().find_map(Clone::clone);
                return Err(Stop::Raise(handled.unwrap_or(Raised { class: Error::Other, failure: None })));
            }
            Act::Leave(leave) => return Err(Stop::Leave(*leave)),
        }
        Ok(())
    }

    /// Whether a context is what a call of something of the project gives, which may keep a failure from going on.
    fn is_called_of_project(&mut self, item: &'w Value<'p>) -> Result<bool, Raised> {
        match &item.what {
            What::Call { function, .. } => Ok(self.evaluate(function)?.is_callable()),
            _ => Ok(false),
        }
    }

    fn perhaps_suppressed(&mut self, body: &'w [Step<'p>]) -> Result<(), Stop<'p>> {
        match self.block(body) {
            Err(Stop::Raise(raised)) if raised.failure.is_some() => {
                self.doubts.push(raised);
                Ok(())
            }
            other => other,
        }
    }

    pub fn bind(&mut self, name: &'p str, object: Object<'p>) {
        let space = self.binds_in(self.space(), name);
        self.state.bind(space, name, object);
    }

    /// Binds a name around the comprehension that is being run.
    pub fn bind_around(&mut self, name: &'p str, object: Object<'p>) {
        let own = self.level().own;
        let space = self.binds_in(own, name);
        self.state.bind(space, name, object);
    }

    /// The namespace in which code of another binds a name.
    pub fn binds_in(&self, space: Space, name: &str) -> Space {
        let level = self.levels.last().expect("names are bound in a body");
        if level.globals.contains(&name) {
            level.module.0
        } else if level.nonlocals.contains(&name) {
            self.state.owner_around(space, name).unwrap_or(space)
        } else {
            space
        }
    }

    /// The arms of an `if`, as far as their tests let them run.
    fn arms(&mut self, arms: &'w [(Option<Value<'p>>, Block<'p>)], span: Span) -> Result<(), Stop<'p>> {
        let mut open: Vec<&'w [Step<'p>]> = Vec::new();
        for (test, block) in arms {
            let truth = match test {
                None => Some(true),
                Some(test) => {
                    self.run_from(span);
                    let object = self.evaluate(test)?;
                    self.truth(object)
                }
            };
            match truth {
                Some(false) => {}
                Some(true) => {
                    open.push(block);
                    return self.ways(&open);
                }
                None => open.push(block),
            }
        }
        open.push(&[]);
        self.ways(&open)
    }

    /// Runs each of several ways from here, and goes on as after any of them.
    fn ways(&mut self, ways: &[&'w [Step<'p>]]) -> Result<(), Stop<'p>> {
        let ways: Vec<&'w [Step<'p>]> = ways.iter().copied().filter(|way| !self.gives_up(way)).collect();
        if let [only] = ways.as_slice() {
            return self.block(only);
        }
        if ways.is_empty() {
            return Err(Stop::Raise(Raised { class: Error::Other, failure: None }));
        }
        let before = self.state.mark();
        let mut through: Option<Delta<'p>> = None;
        let mut stopped: Vec<Stop<'p>> = Vec::new();
        let doubts = self.doubts.len();
        for way in ways {
            match self.block(way) {
                Ok(()) => through = Some(self.joined(through.take(), before)),
                Err(stop) => {
                    self.state.undo(before);
                    stopped.push(stop);
                }
            }
        }
        let Some(through) = through else { return self.no_way_through(stopped, doubts) };
        self.state.apply(&through);
        stopped.into_iter().for_each(|stop| self.stops_aside(stop));
        Ok(())
    }

    /// Whether a way ends with an error of its own that nothing handles. Then what fails before that is no other outcome.
    fn gives_up(&self, way: &[Step<'p>]) -> bool {
        match way.last().map(|step| &step.act) {
            Some(Act::Raise { class, .. }) => !self.is_taken(*class),
            _ => false,
        }
    }

    /// Whether something around takes such an error.
    pub fn is_taken(&self, class: Error) -> bool {
        self.watching.iter().any(|catches| catches.takes(class))
    }

    /// Takes back what happened since the mark, and gives it joined with what another way did.
    pub fn joined(&mut self, other: Option<Delta<'p>>, since: usize) -> Delta<'p> {
        let this = self.state.take(since);
        match other {
            None => this,
            Some(other) => {
                self.state.join(&other, &this);
                self.state.take(since)
            }
        }
    }

    /// What is raised on one of the ways alone; for a reason of its own, it says nothing.
    pub fn may_fail(&mut self, raised: Raised) {
        self.doubts.extend(raised.failure.is_some().then_some(raised));
    }

    /// One way ends, while others go on.
    pub fn stops_aside(&mut self, stop: Stop<'p>) {
        match stop {
            // A failure of its own on one way says nothing of the others.
            Stop::Raise(raised) => self.may_fail(raised),
            Stop::Return(_) => self.level().left = true,
            Stop::Leave(Leave::Break) => self.level().broken = true,
            // It leaves the round of a loop alone.
            Stop::Leave(Leave::Continue) => {}
        }
    }

    /// Every way ends here: sure to fail only if each of them fails.
    fn no_way_through(&mut self, stopped: Vec<Stop<'p>>, doubts: usize) -> Result<(), Stop<'p>> {
        let mut kept = None;
        let mut failed = Vec::new();
        for stop in stopped {
            match stop {
                Stop::Raise(raised) if raised.failure.is_some() => failed.push(raised),
                Stop::Raise(raised) => kept = kept.or(Some(Stop::Raise(raised))),
                Stop::Return(object) => {
                    kept = Some(match kept {
                        Some(Stop::Return(other)) => Stop::Return(self.state.kept.choice([other, object])),
                        _ => Stop::Return(object),
                    });
                }
                Stop::Leave(leave) => kept = kept.or(Some(Stop::Leave(leave))),
            }
        }
        match kept {
            Some(stop) => {
                self.doubts.extend(failed);
                Err(stop)
            }
            None => {
                self.doubts.truncate(doubts);
                failed.into_iter().next().map_or(Ok(()), |raised| Err(Stop::Raise(raised)))
            }
        }
    }

    /// Whether an object is true, if that is known.
    pub fn truth(&self, object: Object<'p>) -> Option<bool> {
        match object {
            Object::Any | Object::Instance(_) => None,
            Object::Choice(id) => {
                let held = self.state.kept.get(id);
                let mut all = held.values().map(|part| self.truth(part));
                let first = all.next()?;
                all.all(|truth| truth == first).then_some(first)?
            }
            Object::Held(_) | Object::Open(_) => {
                self.contents(object).filter(|(_, sure)| *sure).map(|(held, _)| !held.parts.is_empty())
            }
            Object::Truth(truth) => Some(truth),
            Object::None => Some(false),
            Object::Text(text) => Some(!text.is_empty()),
            _ => Some(true),
        }
    }

    /// The object that a name stands for here.
    pub fn cell(&self, name: &'p str) -> Option<Cell<'p>> {
        self.state.find(self.space(), name)
    }
}
