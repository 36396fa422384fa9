import { ATTENTION_MASK, INPUT_IDS, INPUT_VALUES, PIXEL_VALUES, TOKEN_TYPE_IDS } from '../data/columns.ts';
import { inputsOf, type StatedParts } from './parts.ts';

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

const TEXT_COLUMNS = [INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS];
const COLUMNS = [...TEXT_COLUMNS, PIXEL_VALUES, INPUT_VALUES];

/** Outputs named as an input of a model is (values of a graph have a name each), or as one of several inputs (`row_weights/NAME`). */
export function takenNameProblems(recipe: StatedParts): Problem[] {
  const names = Object.keys(recipe.outputs ?? {});
  if (names.length === 0) return [];
  const inputs = inputsOf(recipe);
  const prefixed = inputs.flatMap(({ options: { prefix } }) =>
    prefix === undefined ? [] : TEXT_COLUMNS.map((column) => `${String(prefix)}_${column}`),
  );
  const several = inputs.length > 1 ? inputs.map(({ name }) => name) : [];
  const taken = new Set([...COLUMNS, ...prefixed, ...several]);
  return names
    .filter((name) => taken.has(name))
    .map((name) => ({
      path: ['outputs', name],
      message: `'${name}' is the name of an input: give the output another name`,
    }));
}
