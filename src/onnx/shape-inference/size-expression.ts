import type { Dim } from '../graph.ts';

/**
 * Arithmetic on sizes of which some are names. A result that is not a number is itself a name: the canonical form of
 * the sum of products that it stands for (`2*batch*sequence + 1`), so that two ways to compute a size give the same
 * name, and equal names are equal sizes. Names that exporters give to computed sizes (`past + sequence`) are read the
 * same way.
 */

/** Coefficients by product of names; the empty product is the constant term. */
type Polynomial = ReadonlyMap<string, number>;

/** More is a name of its own: what nobody can read needs no arithmetic. */
const MAX_TERMS = 8;
const MAX_LENGTH = 120;

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return format(sum(parse(a), parse(b), 1));
}

export function subtractDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return format(sum(parse(a), parse(b), -1));
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const result = new Map<string, number>();
  for (const [left, x] of parse(a)) {
    for (const [right, y] of parse(b)) {
      const factors = [...factorsOf(left), ...factorsOf(right)].sort().join('*');
      result.set(factors, (result.get(factors) ?? 0) + x * y);
    }
  }
  return format(result);
}

/** The product of sizes; 1 of none. */
export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.reduce((product, dim) => multiplyDims(product, dim), 1 as Dim);
}

/** a / b where that is whole and can be told, else undefined. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (b === 0) return undefined;
  if (a === b) return 1;
  const divisor = [...parse(b)];
  if (divisor.length !== 1) return undefined;
  const [below, by] = divisor[0];
  const result = new Map<string, number>();
  for (const [above, coefficient] of parse(a)) {
    const factors = factorsOf(above);
    for (const factor of factorsOf(below)) {
      const at = factors.indexOf(factor);
      if (at < 0) return undefined;
      factors.splice(at, 1);
    }
    if (coefficient % by !== 0) return undefined;
    result.set(factors.join('*'), coefficient / by);
  }
  return format(result);
}

/** a / b rounded down: the number, the whole quotient, or a name for it. For sizes, which are not negative. */
export function floorDivideDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b);
  return divideDims(a, b) ?? short(`floor((${a}) / (${b}))`);
}

/** The product of `all` without those of `parts`, or undefined where that cannot be told. */
export function quotientOfDims(all: readonly Dim[], parts: readonly Dim[]): Dim | undefined {
  const left = [...all];
  const right: Dim[] = [];
  for (const part of parts) {
    const at = left.indexOf(part);
    if (at >= 0) left.splice(at, 1);
    else right.push(part);
  }
  return divideDims(productOfDims(left), productOfDims(right));
}

/** The size of two that broadcast: one of them is 1, or they are equal. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  // A name meets a number greater than 1 as that number: anything else would fail when it runs.
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  if (intendedSize(a) === b) return b;
  if (intendedSize(b) === a) return a;
  const parts = [...new Set([...broadcastParts(a), ...broadcastParts(b)])].sort();
  return short(`${BROADCAST}${parts.join(', ')})`);
}

/** Whether two sizes are equal; undefined where that depends on what the names stand for. */
export function equalDims(a: Dim, b: Dim): boolean | undefined {
  const difference = subtractDims(a, b);
  if (typeof difference === 'number') return difference === 0;
  const terms = [...parse(difference)];
  const constant = terms.find(([factors]) => factors === '')?.[1] ?? 0;
  // Sizes are not negative, so a sum of them with a constant of their sign is never 0.
  const oneSign = terms.every(([, coefficient]) => coefficient > 0 === constant > 0);
  return constant !== 0 && oneSign ? false : undefined;
}

/**
 * A name for the size of [from:to] of `dim`. It is to - from wherever the slice finds as many (the first `sequence` of
 * 512 positions), and is taken for it where it meets that size.
 */
export function sliceName(dim: Dim, from: Dim, to: Dim): string {
  return short(`${SLICE}${dim}, ${from}, ${to})`);
}

/** Whether sizes that meet in one operation are equal for sure, by their names or by what a slice was meant to take. */
export function meetAsEqual(a: Dim, b: Dim): boolean {
  return a === b || intendedSize(a) === b || intendedSize(b) === a;
}

function intendedSize(name: Dim): Dim | undefined {
  if (typeof name === 'number' || !name.startsWith(SLICE) || !name.endsWith(')')) return undefined;
  const parts = splitOutside(name.slice(SLICE.length, -1), ', ');
  if (parts.length !== 3) return undefined;
  const [, from, to] = parts.map((part): Dim => (/^-?\d+$/.test(part) ? Number(part) : part));
  return subtractDims(to, from);
}

const SLICE = 'slice(';
const BROADCAST = 'broadcast(';

function broadcastParts(name: string): string[] {
  const whole = name.startsWith(BROADCAST) && name.endsWith(')');
  return whole ? splitOutside(name.slice(BROADCAST.length, -1), ', ') : [name];
}

const ZERO: Polynomial = new Map();
const parsed = new Map<string, Polynomial>();

function parse(dim: Dim): Polynomial {
  if (typeof dim === 'number') return dim === 0 ? ZERO : new Map([['', dim]]);
  let known = parsed.get(dim);
  if (!known) {
    known = parseName(dim);
    // Names come from files: the memory must not grow with every file that is read.
    if (parsed.size > 10_000) parsed.clear();
    parsed.set(dim, known);
  }
  return known;
}

function parseName(name: string): Polynomial {
  const atom: Polynomial = new Map([[name, 1]]);
  if (name.length > MAX_LENGTH || !/[*+-]/.test(name)) return atom;
  const result = new Map<string, number>();
  for (const [i, positive] of splitOutside(name, ' + ').entries()) {
    for (const [k, term] of splitOutside(positive, ' - ').entries()) {
      let coefficient = k === 0 ? 1 : -1;
      let rest = term;
      if (i === 0 && k === 0 && term.startsWith('-')) {
        coefficient = -1;
        rest = term.slice(1);
      }
      const factors = splitOutside(rest, '*').map((factor) => factor.trim());
      if (factors.includes('')) return atom;
      const names = factors.filter((factor) => !/^\d+$/.test(factor));
      for (const factor of factors) if (/^\d+$/.test(factor)) coefficient *= Number(factor);
      const key = names.sort().join('*');
      result.set(key, (result.get(key) ?? 0) + coefficient);
    }
  }
  for (const [key, value] of result) if (value === 0) result.delete(key);
  return result.size > MAX_TERMS ? atom : result;
}

/** Splits at a separator that is not inside parentheses; a text whose parentheses do not match is one piece. */
function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth < 0) return [text];
    else if (depth === 0 && text.startsWith(separator, i)) {
      pieces.push(text.slice(start, i));
      i += separator.length - 1;
      start = i + 1;
    }
  }
  return depth === 0 ? [...pieces, text.slice(start)] : [text];
}

function factorsOf(product: string): string[] {
  return product === '' ? [] : splitOutside(product, '*');
}

function sum(a: Polynomial, b: Polynomial, sign: 1 | -1): Polynomial {
  const result = new Map(a);
  for (const [factors, coefficient] of b) {
    const total = (result.get(factors) ?? 0) + sign * coefficient;
    if (total === 0) result.delete(factors);
    else result.set(factors, total);
  }
  return result;
}

/** Names first, in alphabetical order, then the constant. */
function format(polynomial: Polynomial): Dim {
  const terms = [...polynomial].filter(([, coefficient]) => coefficient !== 0);
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0][0] === '') return terms[0][1];
  // Positive terms lead, so that a name never begins with a sign where that can be helped.
  const order = ([a, x]: [string, number], [b, y]: [string, number]) =>
    Number(x < 0) - Number(y < 0) || Number(a === '') - Number(b === '') || (a < b ? -1 : 1);
  let text = '';
  for (const [factors, coefficient] of terms.sort(order)) {
    const size = Math.abs(coefficient);
    const term = factors === '' ? `${size}` : size === 1 ? factors : `${size}*${factors}`;
    if (text === '') text = coefficient < 0 ? `-${term}` : term;
    else text += coefficient < 0 ? ` - ${term}` : ` + ${term}`;
  }
  return terms.length > MAX_TERMS ? hashed(text) : short(text);
}

function short(text: string): string {
  return text.length > MAX_LENGTH ? hashed(text) : text;
}

/** A short name that is as good as unique (FNV-1a, twice 32 bits). */
function hashed(text: string): string {
  let [a, b] = [0x811c9dc5, 0x1000193];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x5bd1e995);
  }
  return `size_${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}
