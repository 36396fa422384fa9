import { resolve } from 'node:path';
import { LimbeckError } from '../../errors.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { modelFiles } from '../../teachers/model-folder.ts';
import { promptsWithoutDefault, quoted } from '../../teachers/sentence-prompt.ts';
import type { Proposal } from './proposal.ts';

/** Which of several prompts is meant, as far as their names tell: of E5, `query` is the one for all that is no search. */
const USUAL = [/classif/i, /^query$/i];

/**
 * The prompt of each teacher in a file whose model has some and takes none by default: somebody has to choose, so one is written into the
 * recipe, and the others are told. A model that is not here, or cannot be read, is for the run to tell.
 *
 * @param folder what paths in the recipe are relative to
 */
export function proposePrompts(
  { teacher }: Pick<Recipe, 'teacher'>,
  folder: string,
): Pick<Proposal, 'set' | 'seen'> {
  type Named = Readonly<Record<string, unknown>>;
  const teachers: [string, Named][] =
    teacher?.kind === 'several'
      ? (teacher.teachers as readonly Named[]).map((one, i) => [`teacher.teachers[${i}]`, one])
      : [['teacher', (teacher ?? {}) as Named]];
  const found = teachers.flatMap(([path, { kind, model, prompt }]) =>
    kind === 'onnx' && typeof model === 'string' && prompt === undefined
      ? proposed(path, resolve(folder, model))
      : [],
  );
  return { set: found.map(({ set }) => set), seen: found.map(({ seen }) => seen) };
}

function proposed(path: string, model: string): { set: string; seen: string }[] {
  const prompts = promptsOf(model);
  const [name, text] =
    USUAL.map((usual) => prompts.find(([key]) => usual.test(key))).find(Boolean) ?? prompts[0] ?? [];
  if (text === undefined) return [];
  const others = prompts.filter(([key]) => key !== name).map(([key, prompt]) => `${key} (${quoted(prompt)})`);
  const rest = others.length > 0 ? `; it also has ${others.slice(0, 5).join(', ')}` : '';
  return [
    {
      set: `${path}.prompt=${JSON.stringify(text)}`,
      seen: `${path}.prompt: ${quoted(text)}, the prompt '${name}' of the model, which takes none by default${rest}; '' is none`,
    },
  ];
}

function promptsOf(model: string): readonly [string, string][] {
  try {
    return promptsWithoutDefault(modelFiles(model));
  } catch (error) {
    if (error instanceof LimbeckError) return [];
    throw error;
  }
}
