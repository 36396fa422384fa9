import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { yamlWords } from './yaml-words.ts';

/** A syntax problem, at an offset in the text. */
export interface SyntaxProblem {
  message: string;
  offset: number;
}

/** A recipe's YAML, read but not yet checked, with the way back from a key path to its place in the text. */
export interface RecipeDocument {
  readonly document: Document;
  readonly syntax: SyntaxProblem[];
  /** The plain value. Throws a ReferenceError for aliases that would grow beyond measure. */
  value(): unknown;
  /** Line and column, from 1, of the value at a path or of one of its keys; of the nearest parent when it is absent. */
  placeOf(path: readonly PropertyKey[], key?: string): { line: number; column: number };
  lineColumn(offset: number): { line: number; column: number };
  /** The offset of the last value that is another's (`*name`). */
  readonly lastAlias: number | undefined;
}

/** How often aliases may be expanded: enough for honest recipes, too little for a "billion laughs". */
const MAX_ALIASES = 50;

/** Reads YAML 1.2 (core schema: no custom types, text keys, no key twice, no merge keys). */
export function readYaml(text: string): RecipeDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    stringKeys: true,
    uniqueKeys: true,
    merge: false,
  });
  // A tag that YAML does not know (`!!js/function`) is a warning to the library; to a recipe it is an error.
  const syntax = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    message: yamlWords(code, message),
    offset: pos[0],
  }));
  const aliases = aliasesOf(document);
  const unknown = aliases.find((alias) => !alias.resolve(document));
  if (unknown) {
    const message = `*${unknown.source} is the value of a name that nothing has before it (&${unknown.source})`;
    syntax.push({ message, offset: unknown.range?.[0] ?? 0 });
  }
  const lineColumn = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    document,
    syntax,
    value: () => document.toJS({ maxAliasCount: MAX_ALIASES }),
    lastAlias: aliases.at(-1)?.range?.[0],
    placeOf: (path, key) => lineColumn(offsetOf(document, path, key)),
    lineColumn,
  };
}

function aliasesOf(document: Document): Alias[] {
  const found: Alias[] = [];
  visit(document, {
    Alias(_, alias) {
      found.push(alias);
    },
  });
  return found;
}

function offsetOf(document: Document, path: readonly PropertyKey[], key?: string): number {
  let node = document.contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const step of key === undefined ? path : [...path, key]) {
    const resolved: unknown = isAlias(node) ? node.resolve(document) : node;
    let next: unknown;
    if (isMap(resolved)) {
      const pair = resolved.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(step),
      );
      const keyNode = pair?.key as Node | undefined;
      // The key's place, not the value's: that is where a person looks for `epochs: many`.
      if (keyNode?.range) offset = keyNode.range[0];
      next = pair?.value;
    } else if (isSeq(resolved)) {
      next = resolved.items[Number(step)];
      offset = (next as Node | undefined)?.range?.[0] ?? offset;
    }
    if (!next) break;
    node = next as Node;
  }
  return offset;
}
