//! Loops and comprehensions: a round for each part of what they go over, where that is known.

use super::run::{Raised, Run, Stop};
use super::state::Object;
use crate::names::body::{Step, Value};
use crate::syntax::ast::Leave;

/// One `for … in … if …` of a comprehension.
type Clause<'p> = (Value<'p>, Value<'p>, Vec<Value<'p>>);

/// How often the body of a loop runs.
enum Rounds<'p> {
    /// Once for each of these.
    Each(Vec<Object<'p>>),
    /// Perhaps for these, and perhaps for others.
    Among(Vec<Object<'p>>),
    /// At least once, and who knows how often.
    Again,
    /// Nobody knows; with what it gets in a round.
    Perhaps(Object<'p>),
}

/// Rounds that are run one by one.
const MOST: usize = 16;

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    pub fn looped(
        &mut self,
        head: &'w Value<'p>,
        target: Option<&'w Value<'p>>,
        body: &'w [Step<'p>],
        orelse: &'w [Step<'p>],
    ) -> Result<(), Stop<'p>> {
        let over = self.evaluate(head)?;
        let rounds = match (target, over) {
            (None, Object::Truth(true)) => Rounds::Again,
            (None, Object::Truth(false)) => Rounds::Each(Vec::new()),
            (None, _) => Rounds::Perhaps(Object::Any),
            (Some(_), over) => {
                self.special(over, "__iter__", Vec::new())?;
                self.rounds(over)
            }
        };
        let around = std::mem::replace(&mut self.level().broken, false);
        let ended = self.run_rounds(rounds, target, body);
        let broken = std::mem::replace(&mut self.level().broken, around);
        match ended? {
            Leave::Break => Ok(()),
            Leave::Continue if broken => self.perhaps(orelse),
            Leave::Continue => self.block(orelse),
        }
    }

    /// Says how the loop ends.
    fn run_rounds(
        &mut self,
        rounds: Rounds<'p>,
        target: Option<&'w Value<'p>>,
        body: &'w [Step<'p>],
    ) -> Result<Leave, Stop<'p>> {
        let objects = match rounds {
            Rounds::Perhaps(object) => {
                target.map_or(Ok(()), |target| self.assign(target, object))?;
                let before = self.state.mark();
                self.perhaps(body)?;
                match target {
                    Some(_) => drop(self.state.blur(before)),
                    None => self.once_more(before, body)?,
                }
                return Ok(Leave::Continue);
            }
            Rounds::Again => {
                let before = self.state.mark();
                match self.block(body) {
                    Err(Stop::Leave(Leave::Break)) => return Ok(Leave::Break),
                    Err(Stop::Leave(Leave::Continue)) | Ok(()) => {}
                    Err(stop) => return Err(stop),
                }
                self.once_more(before, body)?;
                return Ok(Leave::Continue);
            }
            Rounds::Among(objects) => {
                for object in objects {
                    target.map_or(Ok(()), |target| self.assign(target, object))?;
                    self.perhaps(body)?;
                }
                return Ok(Leave::Continue);
            }
            Rounds::Each(objects) => objects,
        };
        for object in objects {
            target.map_or(Ok(()), |target| self.assign(target, object))?;
            if self.level().broken {
                self.perhaps(body)?;
                continue;
            }
            match self.block(body) {
                Err(Stop::Leave(Leave::Break)) => return Ok(Leave::Break),
                Err(Stop::Leave(Leave::Continue)) | Ok(()) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(Leave::Continue)
    }

    /// The rounds after the first find what that one left, if it changed anything that code may ask for.
    fn once_more(&mut self, since: usize, body: &'w [Step<'p>]) -> Result<(), Stop<'p>> {
        if self.state.blur(since) { self.perhaps(body) } else { Ok(()) }
    }

    /// A body that nearly always runs: it counts as if it did, save that its failure is none that is sure.
    fn perhaps(&mut self, body: &'w [Step<'p>]) -> Result<(), Stop<'p>> {
        let before = self.state.mark();
        match self.block(body) {
            Err(Stop::Raise(raised)) => {
                self.state.undo(before);
                self.doubts.push(raised);
            }
            Err(Stop::Return(_)) => self.level().left = true,
            Err(Stop::Leave(_)) | Ok(()) => {}
        }
        Ok(())
    }

    fn rounds(&mut self, over: Object<'p>) -> Rounds<'p> {
        let Some((held, sure)) = self.contents(over) else { return Rounds::Perhaps(Object::Any) };
        let members = held.members();
        let is_known = members.iter().any(|member| *member != Object::Any);
        match members.len() {
            ..=MOST if sure => Rounds::Each(members),
            1..=MOST if is_known => Rounds::Among(members),
            _ => Rounds::Perhaps(self.state.kept.choice(members.into_iter().chain([Object::Any]))),
        }
    }

    /// Gives what a comprehension holds.
    pub fn comprehension(
        &mut self,
        waits: bool,
        clauses: &'w [Clause<'p>],
        element: &'w [Value<'p>],
    ) -> Result<Object<'p>, Raised> {
        let Some(((target, iter, tests), more)) = clauses.split_first() else { return Ok(Object::Any) };
        let over = self.evaluate(iter)?;
        let (objects, known) = match self.rounds(over) {
            Rounds::Each(objects) => (objects, true),
            Rounds::Among(objects) => (objects, false),
            Rounds::Perhaps(object) => (vec![object], false),
            Rounds::Again => (Vec::new(), false),
        };
        let mut sure = known && more.is_empty();
        let outer = self.space();
        // What it binds by `:=` is bound around it; only its targets are its own.
        let space = self.state.open(outer, false);
        let mut values = Vec::with_capacity(objects.len());
        for object in objects {
            self.level().space = space;
            let outcome = self.round(object, (target, tests), more, element);
            self.level().space = outer;
            match outcome {
                Ok(Some((value, certain))) => {
                    sure &= certain;
                    values.push(value);
                }
                Ok(None) => {}
                // It may go over nothing.
                Err(raised) if waits || !sure => self.may_fail(raised),
                Err(raised) => return Err(raised),
            }
        }
        Ok(if element.len() == 1 { self.state.held(values, !sure) } else { Object::Any })
    }

    fn round(
        &mut self,
        object: Object<'p>,
        (target, tests): (&'w Value<'p>, &'w [Value<'p>]),
        more: &'w [Clause<'p>],
        element: &'w [Value<'p>],
    ) -> Result<Option<(Object<'p>, bool)>, Raised> {
        self.assign(target, object)?;
        let mut certain = true;
        for test in tests {
            let test = self.evaluate(test)?;
            match self.truth(test) {
                Some(true) => {}
                Some(false) => return Ok(None),
                None => certain = false,
            }
        }
        for (target, iter, tests) in more {
            self.evaluate(iter)?;
            self.assign(target, Object::Any)?;
            self.evaluate_all(tests)?;
        }
        match self.evaluate_all(element) {
            Ok(values) => Ok(Some((values.last().copied().unwrap_or(Object::Any), certain))),
            Err(raised) if certain => Err(raised),
            Err(raised) => {
                self.may_fail(raised);
                Ok(Some((Object::Any, false)))
            }
        }
    }
}
