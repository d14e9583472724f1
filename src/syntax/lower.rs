//! From tree-sitter's concrete tree to [`ast`](super::ast). Every node kind of the grammar that binds or reads a name has its
//! arm here; whatever is not known by name is kept by its parts, so that no use of a name is lost.

use std::borrow::Cow;

use tree_sitter::{Node, Tree};

use super::ast::*;
use super::position::Places;

pub(super) fn lower<'a>(text: &'a str, places: Places, tree: &Tree, lazy: &[usize]) -> Ast<'a> {
    let root = tree.root_node();
    let mut lower = Lower { text, places, lazy, comments: Vec::new(), invalid: None };
    let body = lower.block(root);
    let error = root.has_error().then(|| first_error(root)).flatten().map(|at| lower.places.at(at));
    let error = error.into_iter().chain(lower.invalid).min();
    lower.comments.sort_unstable();
    lower.comments.dedup();
    Ast { text, body, comments: lower.comments, error }
}

/// Where the first error or missing token is.
fn first_error(root: Node) -> Option<usize> {
    let mut node = root;
    'down: loop {
        if node.is_error() || node.is_missing() {
            return Some(node.start_byte());
        }
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            if child.has_error() || child.is_missing() {
                node = child;
                continue 'down;
            }
        }
        return Some(node.start_byte());
    }
}

struct Lower<'a, 'l> {
    text: &'a str,
    places: Places,
    lazy: &'l [usize],
    comments: Vec<Span>,
    /// The first thing that the grammar takes and Python 3 does not.
    invalid: Option<usize>,
}

impl<'a> Lower<'a, '_> {
    fn span(&self, node: Node) -> Span {
        self.places.span(node.byte_range())
    }

    fn text(&self, node: Node) -> &'a str {
        &self.text[self.span(node).range()]
    }

    fn ident(&self, node: Node) -> Ident<'a> {
        Ident { text: self.text(node), span: self.span(node) }
    }

    /// Named children without comments, which are put aside.
    fn children<'t>(&mut self, node: Node<'t>) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        let mut out = Vec::new();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "comment" => self.comments.push(self.span(child)),
                "line_continuation" => {}
                _ => out.push(child),
            }
        }
        out
    }

    fn field<'t>(&self, node: Node<'t>, name: &str) -> Option<Node<'t>> {
        node.child_by_field_name(name)
    }

    fn field_expr(&mut self, node: Node, name: &str) -> Option<Expr<'a>> {
        let child = self.field(node, name)?;
        Some(self.expr(child))
    }

    fn field_block(&mut self, node: Node, name: &str) -> Vec<Stmt<'a>> {
        let body = self.field(node, name).map_or_else(Vec::new, |n| self.block(n));
        if body.is_empty() {
            self.reject(node);
        }
        body
    }

    fn reject(&mut self, node: Node) {
        let at = self.places.at(node.start_byte());
        self.invalid = Some(self.invalid.map_or(at, |known| known.min(at)));
    }

    /// Comments that are direct children of a node whose parts are taken by field.
    fn comments_of(&mut self, node: Node) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            if child.kind() == "comment" {
                self.comments.push(self.span(child));
            }
        }
    }

    fn block(&mut self, node: Node) -> Vec<Stmt<'a>> {
        let mut out = Vec::new();
        for child in self.children(node) {
            self.stmt(child, &mut out);
        }
        out
    }

    fn stmt(&mut self, node: Node, out: &mut Vec<Stmt<'a>>) {
        let kind = match node.kind() {
            "expression_statement" => self.expression_statement(node),
            "import_statement" | "import_from_statement" | "future_import_statement" => {
                StmtKind::Import(self.import(node))
            }
            "function_definition" => StmtKind::Function(Box::new(self.function(node, Vec::new()))),
            "class_definition" => StmtKind::Class(Box::new(self.class(node, Vec::new()))),
            "decorated_definition" => self.decorated(node),
            "if_statement" => self.if_statement(node),
            "while_statement" => {
                self.comments_of(node);
                StmtKind::While {
                    test: self.field_or_none(node, "condition"),
                    body: self.field_block(node, "body"),
                    orelse: self.else_of(node),
                }
            }
            "for_statement" => {
                self.comments_of(node);
                StmtKind::For {
                    target: self.field_or_none(node, "left"),
                    iter: self.field_or_none(node, "right"),
                    body: self.field_block(node, "body"),
                    orelse: self.else_of(node),
                }
            }
            "try_statement" => self.try_statement(node),
            "with_statement" => self.with_statement(node),
            "match_statement" => self.match_statement(node),
            "return_statement" => StmtKind::Return(self.exprs(node)),
            "raise_statement" => StmtKind::Raise(self.exprs(node)),
            "assert_statement" => StmtKind::Assert(self.exprs(node)),
            "delete_statement" => StmtKind::Delete(self.exprs(node)),
            "global_statement" => StmtKind::Global(self.idents(node)),
            "nonlocal_statement" => StmtKind::Nonlocal(self.idents(node)),
            "type_alias_statement" => self.type_alias(node),
            "pass_statement" => StmtKind::Pass,
            // Text that the parser could not place: what it did recognise inside still counts.
            "ERROR" => {
                for child in self.children(node) {
                    self.stmt(child, out);
                }
                return;
            }
            "print_statement" | "exec_statement" => {
                self.reject(node);
                StmtKind::Other(self.exprs(node))
            }
            "break_statement" => StmtKind::Leave(Leave::Break),
            "continue_statement" => StmtKind::Leave(Leave::Continue),
            kind if kind.ends_with("_statement") => StmtKind::Other(self.exprs(node)),
            "block" => {
                out.extend(self.block(node));
                return;
            }
            _ => StmtKind::Expr(self.expr(node)),
        };
        out.push(Stmt { span: self.span(node), kind });
    }

    fn field_or_none(&mut self, node: Node, name: &str) -> Expr<'a> {
        self.field_expr(node, name).unwrap_or_else(|| self.nothing(node))
    }

    fn nothing(&self, node: Node) -> Expr<'a> {
        Expr { span: self.span(node), kind: ExprKind::Other(Vec::new()) }
    }

    fn exprs(&mut self, node: Node) -> Vec<Expr<'a>> {
        self.children(node).into_iter().map(|n| self.expr(n)).collect()
    }

    fn idents(&mut self, node: Node) -> Vec<Ident<'a>> {
        self.children(node).into_iter().map(|n| self.ident(n)).collect()
    }

    fn expression_statement(&mut self, node: Node) -> StmtKind<'a> {
        let mut children = self.children(node);
        if children.len() == 1 {
            let only = children.remove(0);
            return match only.kind() {
                "assignment" => self.assignment(only),
                "augmented_assignment" => self.augmented(only),
                _ => StmtKind::Expr(self.expr(only)),
            };
        }
        let parts = children.into_iter().map(|n| self.expr(n)).collect();
        StmtKind::Expr(Expr { span: self.span(node), kind: ExprKind::Sequence(parts) })
    }

    fn augmented(&mut self, node: Node) -> StmtKind<'a> {
        self.no_assignment_in(node);
        StmtKind::AugAssign { target: self.field_or_none(node, "left"), value: self.field_or_none(node, "right") }
    }

    fn assignment(&mut self, node: Node) -> StmtKind<'a> {
        self.comments_of(node);
        let target = self.field_or_none(node, "left");
        if let Some(annotation) = self.field_expr(node, "type") {
            self.no_assignment_in(node);
            return StmtKind::AnnAssign { target, annotation, value: self.field_expr(node, "right") };
        }
        let mut targets = vec![target];
        let mut right = self.field(node, "right");
        while let Some(next) = right.filter(|n| n.kind() == "assignment") {
            self.comments_of(next);
            if self.field(next, "type").is_some() {
                self.reject(next);
            }
            targets.push(self.field_or_none(next, "left"));
            right = self.field(next, "right");
        }
        if let Some(inner) = right.filter(|n| n.kind() == "augmented_assignment") {
            self.reject(inner);
        }
        let value = match right {
            Some(right) => self.expr(right),
            None => self.nothing(node),
        };
        StmtKind::Assign { targets, value }
    }

    /// Only plain assignments can be chained: neither `a: int = b = c` nor `a += b = c`.
    fn no_assignment_in(&mut self, node: Node) {
        let inner = self.field(node, "right").filter(|n| matches!(n.kind(), "assignment" | "augmented_assignment"));
        if let Some(inner) = inner {
            self.reject(inner);
        }
    }

    fn import(&mut self, node: Node) -> Import<'a> {
        self.comments_of(node);
        let lazy = self.lazy.contains(&self.places.at(node.start_byte()));
        let from = match node.kind() {
            "future_import_statement" => {
                let at = self.places.at(node.start_byte());
                Some(From { level: 0, module: "__future__", span: Span { start: at, end: at } })
            }
            _ => self.field(node, "module_name").map(|module| {
                let span = self.span(module);
                let text = span.of(self.text);
                let level =
                    text.bytes().take_while(|b| matches!(b, b'.' | b' ' | b'\t')).filter(|b| *b == b'.').count();
                From { level, module: text.trim_start_matches(['.', ' ', '\t']), span }
            }),
        };
        let mut cursor = node.walk();
        let names: Vec<Node> = node.children_by_field_name("name", &mut cursor).collect();
        let names = names.into_iter().map(|n| self.alias(n)).collect();
        Import { lazy, from, names }
    }

    fn alias(&mut self, node: Node) -> Alias<'a> {
        let span = self.span(node);
        match self.field(node, "name") {
            Some(name) => {
                let asname = self.field(node, "alias").map(|n| self.ident(n));
                Alias { name: self.text(name), asname, span }
            }
            None => Alias { name: self.text(node), asname: None, span },
        }
    }

    fn decorated(&mut self, node: Node) -> StmtKind<'a> {
        let mut decorators = Vec::new();
        for child in self.children(node) {
            match child.kind() {
                "decorator" => decorators.extend(self.exprs(child)),
                "function_definition" => {
                    return StmtKind::Function(Box::new(self.function(child, decorators)));
                }
                "class_definition" => return StmtKind::Class(Box::new(self.class(child, decorators))),
                _ => {}
            }
        }
        StmtKind::Other(decorators)
    }

    fn type_params(&mut self, node: Node) -> Vec<Expr<'a>> {
        self.field(node, "type_parameters").map_or_else(Vec::new, |n| self.exprs(n))
    }

    fn function(&mut self, node: Node, decorators: Vec<Expr<'a>>) -> Function<'a> {
        self.comments_of(node);
        let name = self.field(node, "name").map_or(Ident { text: "", span: self.span(node) }, |n| self.ident(n));
        Function {
            name,
            decorators,
            type_params: self.type_params(node),
            params: self.field(node, "parameters").map_or_else(Params::default, |n| self.params(n)),
            returns: self.field_expr(node, "return_type"),
            body: self.field_block(node, "body"),
            def: self.span(node),
        }
    }

    fn class(&mut self, node: Node, decorators: Vec<Expr<'a>>) -> Class<'a> {
        self.comments_of(node);
        let name = self.field(node, "name").map_or(Ident { text: "", span: self.span(node) }, |n| self.ident(n));
        Class {
            name,
            decorators,
            type_params: self.type_params(node),
            args: self.field(node, "superclasses").map_or_else(Vec::new, |n| self.args(n)),
            body: self.field_block(node, "body"),
            def: self.span(node),
        }
    }

    fn params(&mut self, node: Node) -> Params<'a> {
        let mut params = Params::default();
        for child in self.children(node) {
            self.param(child, &mut params);
        }
        params
    }

    fn param(&mut self, node: Node, params: &mut Params<'a>) {
        match node.kind() {
            "identifier" => params.names.push(self.ident(node)),
            "default_parameter" | "typed_default_parameter" => {
                self.annotation(node, params);
                if let Some(name) = self.field(node, "name") {
                    self.param(name, params);
                }
                if let Some(value) = self.field_expr(node, "value") {
                    params.defaulted.push(params.names.len().saturating_sub(1));
                    params.defaults.push(value);
                }
            }
            "typed_parameter" => {
                let annotation = self.annotation(node, params);
                for child in self.children(node) {
                    if Some(child) != annotation {
                        self.param(child, params);
                    }
                }
            }
            "list_splat_pattern" | "dictionary_splat_pattern" | "tuple_pattern" => {
                if node.kind() != "tuple_pattern" {
                    params.stars.push(params.names.len());
                }
                for child in self.children(node) {
                    self.param(child, params);
                }
            }
            _ => {}
        }
    }

    /// The annotation of the parameter that comes next.
    fn annotation<'t>(&mut self, node: Node<'t>, params: &mut Params<'a>) -> Option<Node<'t>> {
        let annotation = self.field(node, "type")?;
        params.annotated.push(params.names.len());
        params.annotations.push(self.expr(annotation));
        Some(annotation)
    }

    fn if_statement(&mut self, node: Node) -> StmtKind<'a> {
        self.comments_of(node);
        let test = self.field_expr(node, "condition");
        let mut branches = vec![Branch { test, body: self.field_block(node, "consequence") }];
        let mut cursor = node.walk();
        let arms: Vec<Node> = node.children_by_field_name("alternative", &mut cursor).collect();
        for arm in arms {
            self.comments_of(arm);
            branches.push(match arm.kind() {
                "elif_clause" => {
                    Branch { test: self.field_expr(arm, "condition"), body: self.field_block(arm, "consequence") }
                }
                _ => Branch { test: None, body: self.field_block(arm, "body") },
            });
        }
        StmtKind::If { branches }
    }

    fn else_of(&mut self, node: Node) -> Vec<Stmt<'a>> {
        let found = self.children(node).into_iter().find(|n| n.kind() == "else_clause");
        found.map_or_else(Vec::new, |n| {
            self.comments_of(n);
            self.field_block(n, "body")
        })
    }

    /// The block that is a child without a field: that of `except` and `finally`.
    fn inner_block(&mut self, node: Node) -> Vec<Stmt<'a>> {
        let found = self.children(node).into_iter().find(|n| n.kind() == "block");
        found.map_or_else(Vec::new, |n| self.block(n))
    }

    fn try_statement(&mut self, node: Node) -> StmtKind<'a> {
        let body = self.field_block(node, "body");
        let (mut handlers, mut orelse, mut finally) = (Vec::new(), Vec::new(), Vec::new());
        for child in self.children(node) {
            match child.kind() {
                "except_clause" | "except_group_clause" => handlers.push(self.handler(child)),
                "else_clause" => {
                    self.comments_of(child);
                    orelse = self.field_block(child, "body");
                }
                "finally_clause" => finally = self.inner_block(child),
                _ => {}
            }
        }
        StmtKind::Try { body, handlers, orelse, finally }
    }

    fn handler(&mut self, node: Node) -> Handler<'a> {
        let mut name = self.field(node, "alias").filter(|n| n.kind() == "identifier").map(|n| self.ident(n));
        let mut types = Vec::new();
        for child in self.children(node) {
            match child.kind() {
                "block" => {}
                "as_pattern" => {
                    let parts = self.children(child);
                    types.extend(parts.first().map(|n| self.expr(*n)));
                    name = self.field(child, "alias").and_then(|n| n.named_child(0)).map(|n| self.ident(n));
                }
                _ if name.is_some_and(|n| n.span == self.span(child)) => {}
                _ => types.push(self.expr(child)),
            }
        }
        Handler { types, name, body: self.inner_block(node) }
    }

    fn with_statement(&mut self, node: Node) -> StmtKind<'a> {
        let mut items = Vec::new();
        for clause in self.children(node).into_iter().filter(|n| n.kind() == "with_clause") {
            for item in self.children(clause) {
                let Some(value) = self.field(item, "value") else { continue };
                if value.kind() == "as_pattern" {
                    let context = self.children(value).first().map(|n| self.expr(*n));
                    let target = self.field(value, "alias").and_then(|n| n.named_child(0)).map(|n| self.expr(n));
                    items.extend(context.map(|context| WithItem { context, target }));
                } else {
                    items.push(WithItem { context: self.expr(value), target: None });
                }
            }
        }
        StmtKind::With { items, body: self.field_block(node, "body") }
    }

    fn match_statement(&mut self, node: Node) -> StmtKind<'a> {
        let mut cursor = node.walk();
        let subjects: Vec<Node> = node.children_by_field_name("subject", &mut cursor).collect();
        let subject = subjects.into_iter().map(|n| self.expr(n)).collect();
        let mut cases = Vec::new();
        for child in self.field(node, "body").map_or_else(Vec::new, |n| self.children(n)) {
            let mut case = Case { captures: Vec::new(), reads: Vec::new(), guard: None, body: Vec::new() };
            for part in self.children(child) {
                match part.kind() {
                    "case_pattern" => self.pattern(part, &mut case),
                    "if_clause" => case.guard = self.exprs(part).into_iter().next(),
                    _ => {}
                }
            }
            case.body = self.field_block(child, "consequence");
            cases.push(case);
        }
        StmtKind::Match { subject, cases }
    }

    fn pattern(&mut self, node: Node, case: &mut Case<'a>) {
        match node.kind() {
            // A bare name captures, a dotted one is a value.
            "dotted_name" if node.named_child_count() == 1 => case.captures.push(self.ident(node)),
            "dotted_name" => case.reads.push(self.dotted(node)),
            "identifier" => case.captures.push(self.ident(node)),
            "class_pattern" => {
                for (index, child) in self.children(node).into_iter().enumerate() {
                    if index == 0 {
                        case.reads.push(self.dotted(child));
                    } else {
                        self.pattern(child, case);
                    }
                }
            }
            // The first part is the keyword, no name of this scope.
            "keyword_pattern" => {
                for child in self.children(node).into_iter().skip(1) {
                    self.pattern(child, case);
                }
            }
            _ => {
                for child in self.children(node) {
                    self.pattern(child, case);
                }
            }
        }
    }

    /// A `dotted_name` as an expression.
    fn dotted(&mut self, node: Node) -> Expr<'a> {
        let mut parts = self.children(node).into_iter();
        let Some(first) = parts.next() else {
            return Expr { span: self.span(node), kind: ExprKind::Name(self.text(node)) };
        };
        let mut expr = Expr { span: self.span(first), kind: ExprKind::Name(self.text(first)) };
        for part in parts {
            let span = Span { start: expr.span.start, end: self.span(part).end };
            expr = Expr { span, kind: ExprKind::Attribute { value: Box::new(expr), name: self.ident(part) } };
        }
        expr
    }

    fn type_alias(&mut self, node: Node) -> StmtKind<'a> {
        let left = self.field_or_none(node, "left");
        let value = self.field_or_none(node, "right");
        let (name, type_params) = match left.kind {
            ExprKind::Name(text) => (Some(Ident { text, span: left.span }), Vec::new()),
            ExprKind::Subscript { value, index } => {
                (value.as_name().map(|text| Ident { text, span: value.span }), index)
            }
            _ => (None, Vec::new()),
        };
        StmtKind::TypeAlias { name, type_params, value }
    }

    fn args(&mut self, node: Node) -> Vec<Arg<'a>> {
        let mut args = Vec::new();
        for child in self.children(node) {
            let keyword = (child.kind() == "keyword_argument").then(|| self.field(child, "name")).flatten();
            match (keyword, self.field(child, "value")) {
                (Some(name), Some(value)) => {
                    self.comments_of(child);
                    args.push(Arg { keyword: Some(self.text(name)), value: self.expr(value) });
                }
                _ => args.push(Arg { keyword: None, value: self.expr(child) }),
            }
        }
        args
    }

    fn clauses(&mut self, node: Node) -> Vec<Clause<'a>> {
        let mut clauses: Vec<Clause<'a>> = Vec::new();
        for child in self.children(node) {
            match child.kind() {
                "for_in_clause" => {
                    let target = self.field_or_none(child, "left");
                    let mut cursor = child.walk();
                    let rights: Vec<Node> =
                        child.children_by_field_name("right", &mut cursor).filter(|n| n.is_named()).collect();
                    let mut parts: Vec<Expr<'a>> = rights.into_iter().map(|n| self.expr(n)).collect();
                    let iter = match parts.len() {
                        1 => parts.remove(0),
                        _ => Expr { span: self.span(child), kind: ExprKind::Sequence(parts) },
                    };
                    clauses.push(Clause { target, iter, tests: Vec::new() });
                }
                "if_clause" => {
                    let tests = self.exprs(child);
                    if let Some(last) = clauses.last_mut() {
                        last.tests.extend(tests);
                    }
                }
                _ => {}
            }
        }
        clauses
    }

    fn expr(&mut self, node: Node) -> Expr<'a> {
        let span = self.span(node);
        let kind = match node.kind() {
            "identifier" => ExprKind::Name(self.text(node)),
            "attribute" => {
                self.comments_of(node);
                let value = self.field_or_none(node, "object");
                match self.field(node, "attribute") {
                    Some(name) => ExprKind::Attribute { value: Box::new(value), name: self.ident(name) },
                    None => ExprKind::Other(vec![value]),
                }
            }
            "member_type" => {
                let parts = self.children(node);
                match parts.as_slice() {
                    [value, name] => {
                        ExprKind::Attribute { value: Box::new(self.expr(*value)), name: self.ident(*name) }
                    }
                    _ => ExprKind::Other(self.exprs(node)),
                }
            }
            "subscript" | "generic_type" => {
                let mut parts = self.exprs(node).into_iter();
                match parts.next() {
                    Some(value) => ExprKind::Subscript { value: Box::new(value), index: parts.collect() },
                    None => ExprKind::Other(Vec::new()),
                }
            }
            "call" => {
                self.comments_of(node);
                let func = Box::new(self.field_or_none(node, "function"));
                let args = match self.field(node, "arguments") {
                    Some(args) if args.kind() == "argument_list" => self.args(args),
                    Some(generator) => vec![Arg { keyword: None, value: self.expr(generator) }],
                    None => Vec::new(),
                };
                ExprKind::Call { func, args }
            }
            "string" => self.string(node),
            "concatenated_string" => self.concatenated(node),
            "integer" | "float" | "true" | "false" | "none" | "ellipsis" => ExprKind::Constant(self.text(node)),
            "lambda" => ExprKind::Lambda {
                params: self.field(node, "parameters").map_or_else(Params::default, |n| self.params(n)),
                body: Box::new(self.field_or_none(node, "body")),
            },
            "list_comprehension" | "set_comprehension" | "dictionary_comprehension" | "generator_expression" => {
                let element = self
                    .field(node, "body")
                    .map(|body| if body.kind() == "pair" { self.exprs(body) } else { vec![self.expr(body)] });
                ExprKind::Comprehension { element: element.unwrap_or_default(), clauses: self.clauses(node) }
            }
            "named_expression" => match (self.field(node, "name"), self.field_expr(node, "value")) {
                (Some(name), Some(value)) => ExprKind::Walrus { name: self.ident(name), value: Box::new(value) },
                _ => ExprKind::Other(self.exprs(node)),
            },
            "not_operator" => ExprKind::Not(Box::new(self.field_or_none(node, "argument"))),
            "boolean_operator" => ExprKind::BoolOp {
                and: self.field(node, "operator").is_some_and(|n| n.kind() == "and"),
                values: self.exprs(node),
            },
            "comparison_operator" => {
                let mut cursor = node.walk();
                let operators: Vec<Node> = node.children_by_field_name("operators", &mut cursor).collect();
                let operators = operators.into_iter().map(|n| self.text(n)).collect();
                ExprKind::Compare { operators, values: self.exprs(node) }
            }
            // Brackets alone change nothing, and neither does the wrapper around an annotation.
            "parenthesized_expression" | "type" | "as_pattern_target" => {
                let mut parts = self.exprs(node);
                match parts.len() {
                    1 => return parts.remove(0),
                    _ => ExprKind::Other(parts),
                }
            }
            "list" | "tuple" | "set" | "expression_list" | "pattern_list" | "tuple_pattern" | "list_pattern" => {
                ExprKind::Sequence(self.exprs(node))
            }
            "dictionary" => ExprKind::Dict(self.exprs(node)),
            "conditional_expression" => match <[Expr<'a>; 3]>::try_from(self.exprs(node)) {
                Ok(parts) => ExprKind::Conditional(Box::new(parts)),
                Err(parts) => ExprKind::Other(parts),
            },
            "list_splat" | "list_splat_pattern" | "dictionary_splat" | "dictionary_splat_pattern" | "splat_type" => {
                let mut parts = self.exprs(node);
                match parts.len() {
                    1 => ExprKind::Starred(Box::new(parts.remove(0))),
                    _ => ExprKind::Other(parts),
                }
            }
            _ => ExprKind::Other(self.exprs(node)),
        };
        Expr { span, kind }
    }

    fn string(&mut self, node: Node) -> ExprKind<'a> {
        let mut cursor = node.walk();
        let (mut start, mut end) = (node.start_byte(), node.end_byte());
        let mut parts = Vec::new();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "string_start" => start = child.end_byte(),
                "string_end" => end = child.start_byte(),
                "interpolation" => parts.push(child),
                _ => {}
            }
        }
        if parts.is_empty() {
            let start = self.places.span(node.start_byte()..start).end;
            let inside = Span { start, end: self.places.at(end).max(start) };
            return ExprKind::Str(Cow::Borrowed(inside.of(self.text)));
        }
        let mut exprs = Vec::new();
        for part in parts {
            exprs.extend(self.exprs(part));
        }
        ExprKind::Other(exprs)
    }

    fn concatenated(&mut self, node: Node) -> ExprKind<'a> {
        let parts = self.exprs(node);
        let mut joined = String::new();
        for part in &parts {
            match part.as_str() {
                Some(text) => joined.push_str(text),
                None => return ExprKind::Other(parts),
            }
        }
        ExprKind::Str(Cow::Owned(joined))
    }
}
