import { type Node, parse } from "acorn";
import { full } from "acorn-walk";

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** For what closes: where that which it closes was opened. */
  readonly opened?: number;
}

/** Fields of nodes of ESTree that are looked at here. */
interface Syntax extends Node {
  readonly body?: Syntax | readonly Syntax[];
  readonly consequent?: Syntax | readonly Syntax[];
  readonly alternate?: Syntax | null;
  readonly right?: Syntax;
  readonly block?: Syntax;
  readonly value?: unknown;
}

/** Shorter texts mean nothing, longer ones are for people. */
const WORD_LENGTH = { minimum: 2, maximum: 48 };

/**
 * Adds a counter to each branch of a module: functions, both ways of an `if` and of `?:`, the right side of `&&`, `||`
 * and `??`, cases, loops, and `catch`. The texts and numbers that stand in the code come along, for the mutator.
 *
 * The counters are those of `Coverage` (coverage.ts) in the global `__fuzzCoverage`.
 */
export function instrument(source: string, url: string): string {
  const insertions: Insertion[] = [];
  const literals = new Set<string | number>();
  let branches = 0;
  const hit = () => `__hits[${branches++}+__base]++`;
  const wrap = (node: Syntax, before: string, after: string) => {
    insertions.push({ at: node.start, text: before }, { at: node.end, text: after, opened: node.start });
  };
  const statement = (node: Syntax | null | undefined) => {
    if (!node) return;
    if (node.type === "BlockStatement") insertions.push({ at: node.start + 1, text: `${hit()};` });
    else wrap(node, `{${hit()};`, "}");
  };
  const expression = (node: Syntax) => wrap(node, `(${hit()},`, ")");

  full(parse(source, { ecmaVersion: "latest", sourceType: "module" }), (visited) => {
    const node = visited as Syntax;
    const { body, consequent, alternate } = node;
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
        statement(single(body));
        break;
      case "ArrowFunctionExpression": {
        const arrowBody = single(body);
        if (arrowBody?.type === "BlockStatement") statement(arrowBody);
        else if (arrowBody !== undefined) expression(arrowBody);
        break;
      }
      case "IfStatement":
        statement(single(consequent));
        statement(alternate);
        break;
      case "ConditionalExpression":
        for (const branch of [single(consequent), alternate]) if (branch) expression(branch);
        break;
      case "LogicalExpression":
        if (node.right !== undefined) expression(node.right);
        break;
      case "SwitchCase": {
        const [first] = Array.isArray(consequent) ? consequent : [];
        if (first !== undefined) insertions.push({ at: first.start, text: `${hit()};` });
        break;
      }
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
      case "WhileStatement":
      case "CatchClause":
        statement(single(body));
        break;
      case "Literal":
        if (isLiteral(node.value)) literals.add(node.value);
    }
  });
  const start = `const{hits:__hits,base:__base}=globalThis.__fuzzCoverage.module(${JSON.stringify(url)},${branches},${JSON.stringify([...literals])});`;
  // On the first line, so that lines in stack traces stay right.
  return start + apply(source, insertions);
}

function single(node: Syntax | readonly Syntax[] | undefined): Syntax | undefined {
  return node === undefined || Array.isArray(node) ? undefined : (node as Syntax);
}

function isLiteral(value: unknown): value is string | number {
  if (typeof value === "number") return Number.isInteger(value) && value < 2 ** 32;
  return typeof value === "string" && value.length >= WORD_LENGTH.minimum && value.length <= WORD_LENGTH.maximum;
}

/** At one place, what closes comes before what opens, and what was opened last is closed first. */
function apply(source: string, insertions: readonly Insertion[]): string {
  const order = ({ opened }: Insertion) => (opened === undefined ? 1 : -opened);
  const sorted = insertions.toSorted((one, other) => one.at - other.at || order(one) - order(other));
  let result = "";
  let offset = 0;
  for (const { at, text } of sorted) {
    result += source.slice(offset, at) + text;
    offset = at;
  }
  return result + source.slice(offset);
}
