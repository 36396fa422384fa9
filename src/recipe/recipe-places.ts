import { childOf, type SchemaNode, schemaAt } from './expectation.ts';
import { keySteps, keyText } from './key-path.ts';
import type { RecipeDocument } from './yaml-document.ts';

/** Where the keys of a recipe stand: the one way from a key path to a file and line, for errors of all parts of the system. */
export class RecipePlaces {
  readonly #file: string | undefined;
  readonly #yaml: RecipeDocument;
  readonly #value: unknown;
  readonly #schema: () => SchemaNode;
  readonly #overridden: readonly string[];

  /** @param overridden key paths whose values are the command line's */
  constructor(
    yaml: RecipeDocument,
    {
      file,
      value,
      schema,
      overridden,
    }: {
      readonly file: string | undefined;
      readonly value: unknown;
      readonly schema: () => SchemaNode;
      readonly overridden: readonly string[];
    },
  ) {
    this.#file = file;
    this.#yaml = yaml;
    this.#value = value;
    this.#schema = schema;
    this.#overridden = overridden;
  }

  /** Line and column of a key, or of the nearest section around it that is written; what replaced it on the command line. */
  placeOf(path: readonly PropertyKey[], key?: string): { line?: number; column?: number; origin?: string } {
    const text = keyText(key === undefined ? path : [...path, key]);
    const origin = this.#overridden.find((one) => text === one || /^[.[]/.test(after(text, one)));
    return origin === undefined ? this.#yaml.placeOf(path, key) : { origin: `--set ${origin}` };
  }

  /**
   * What an error says of its place, with the recipe's file and line before it where it begins with a key of the recipe:
   * `recipe.yaml:12:3, student.patch`. Anything else (a file, a tensor) stays as it is.
   */
  located(where: string): string {
    const text = /^[A-Za-z]\w*(?:\.[\w-]+|\[\d+\])*/.exec(where)?.[0] ?? '';
    const steps = keySteps(text);
    // `inputs: input_ids` lists those of a graph.
    const next = steps?.length === 1 ? /^($|[,;])/ : /^($|[^\w/\\])/;
    if (!steps || !next.test(where.slice(text.length))) return where;
    const path = this.#listed(steps);
    if (!schemaAt(this.#schema(), path, this.#value)) return where;
    const { line, column, origin } = this.placeOf(path);
    if (origin !== undefined) return `${origin}, ${where}`;
    const file = this.#file ?? 'the recipe';
    // Of a section that is not written there is no line.
    const written = childOf(this.#value, path[0] as PropertyKey) !== undefined;
    return written ? `${file}:${line}:${column}, ${where}` : `${file}, ${where}`;
  }

  /** `objective.attention` where the objective is a list: the term of that kind, or the list where several have it. */
  #listed(path: readonly (string | number)[]): readonly (string | number)[] {
    const terms = path[0] === 'objective' ? childOf(this.#value, 'objective') : undefined;
    if (!Array.isArray(terms) || typeof path[1] !== 'string') return path;
    const found = terms.flatMap((term, i) => (childOf(term, 'kind') === path[1] ? [i] : []));
    return found.length === 1 ? ['objective', found[0] as number, ...path.slice(2)] : ['objective'];
  }
}

function after(text: string, beginning: string): string {
  return text.startsWith(beginning) ? text.slice(beginning.length) : '';
}
