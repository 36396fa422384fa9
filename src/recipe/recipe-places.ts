import { childOf, type SchemaNode, schemaAt } from './expectation.ts';
import { keySteps, keyText, leadingKey } from './key-path.ts';
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
    const path = this.#termPath(where) ?? this.#keyPath(where);
    if (!path || !schemaAt(this.#schema(), path, this.#value)) return where;
    const { line, column, origin } = this.placeOf(path);
    if (origin !== undefined) return `${origin}, ${where}`;
    const file = this.#file ?? 'the recipe';
    // Of a section that is not written there is no line.
    const written = childOf(this.#value, path[0] as PropertyKey) !== undefined;
    return written ? `${file}:${line}:${column}, ${where}` : `${file}, ${where}`;
  }

  #keyPath(where: string): Steps | undefined {
    const text = leadingKey(where);
    const steps = keySteps(text);
    // `inputs: input_ids` lists those of a graph.
    const next = steps?.length === 1 ? /^($|[,;])/ : /^($|[^\w/\\])/;
    if (!steps || !next.test(where.slice(text.length))) return undefined;
    // `objective.attention` where the objective is a list: the term of that kind.
    return steps[0] === 'objective' && typeof steps[1] === 'string'
      ? this.#placeOfTerm(steps[1], undefined, steps.slice(2))
      : steps;
  }

  /** Of `objective kd/OUTPUT.clip, ...`: a term is named by its kind and, where it is not the main one, its output. */
  #termPath(where: string): Steps | undefined {
    const [, kind, output, rest = ''] =
      /^objective ([A-Za-z]\w*)(?:\/([\w-]+))?((?:\.[\w-]+)*)(?![\w/\\:-])/.exec(where) ?? [];
    if (kind === undefined) return undefined;
    return this.#placeOfTerm(kind, output, rest.split('.').slice(1));
  }

  /** A term of the objective, in both forms of it; the list where several of it could be meant. */
  #placeOfTerm(kind: string, output: string | undefined, rest: Steps): Steps {
    const terms = childOf(this.#value, 'objective');
    if (!Array.isArray(terms)) return ['objective', kind, ...rest];
    const found = terms.flatMap((term, i) => (childOf(term, 'kind') === kind ? [i] : []));
    const [main] = Object.keys(childOf(this.#value, 'outputs') ?? {});
    const named = found.filter((i) => (childOf(terms[i], 'output') ?? main) === (output ?? main));
    const [only, ...others] = named.length > 0 ? named : found;
    return only === undefined || others.length > 0 ? ['objective'] : ['objective', only, ...rest];
  }
}

type Steps = readonly (string | number)[];

function after(text: string, beginning: string): string {
  return text.startsWith(beginning) ? text.slice(beginning.length) : '';
}
