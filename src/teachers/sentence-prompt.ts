import { z } from 'zod';
import type { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import { LimbeckError } from '../errors.ts';
import { readSettingsJson } from '../settings-file.ts';
import { fileOf, type ModelFiles } from './model-folder.ts';

/** Where sentence-transformers keeps the prompts of a model. */
export const PROMPTS_FILE = 'config_sentence_transformers.json';

/** What a teacher reads before each text. */
export interface TeacherPrompt {
  /** Empty for none. */
  readonly text: string;
  /** What was assumed, for people. */
  readonly notes: readonly string[];
  /** What a person may have to choose. */
  readonly advice: readonly string[];
}

const schema = z.object({
  prompts: z.record(z.string(), z.string()).nullish(),
  default_prompt_name: z.string().nullish(),
});

const NONE: TeacherPrompt = { text: '', notes: [], advice: [] };
/** Prompts that a note lists. */
const SHOWN = 6;
const STUDENT = 'the student reads the text alone';

/**
 * The text that a teacher reads before every sample: the one that a recipe chose, or the default prompt of its
 * `config_sentence_transformers.json`, as `SentenceTransformer.encode` puts it there (Reimers and Gurevych, 2019).
 *
 * @param chosen `teacher.prompt` of the recipe; the default of the file where it is undefined
 * @throws LimbeckError `teacher.config` for a file that cannot be read, or whose default prompt it does not have; `recipe.invalid`
 *   where the name of a prompt was given for its text
 */
export function teacherPrompt(files: Pick<ModelFiles, 'folders'>, chosen?: string): TeacherPrompt {
  if (chosen === '') return NONE;
  const file = fileOf(files, PROMPTS_FILE);
  const { prompts, name } = file === undefined ? { prompts: {}, name: undefined } : readPrompts(file);
  if (chosen !== undefined) {
    const text = Object.hasOwn(prompts, chosen) ? prompts[chosen] : undefined;
    if (text !== undefined && text !== chosen) throw namedPrompt(chosen, text, file as string);
    const note = `the teacher reads ${quoted(chosen)} before each text, as teacher.prompt says; ${STUDENT}`;
    return { text: chosen, notes: [note], advice: [] };
  }
  const text = name === undefined ? '' : (prompts[name] as string);
  if (text !== '') {
    const from = `as ${PROMPTS_FILE} says (default_prompt_name: ${name})`;
    const off = `teacher.prompt chooses another one, or none ('')`;
    return {
      text,
      notes: [`the teacher reads ${quoted(text)} before each text, ${from}; ${STUDENT}; ${off}`],
      advice: [],
    };
  }
  const others = name === undefined ? choosable(prompts) : [];
  const [first] = others;
  if (!first) return NONE;
  const listed = others.slice(0, SHOWN).map(([key, prompt]) => `${key} (${quoted(prompt)})`);
  const list = `${listed.join(', ')}${others.length > SHOWN ? ', ...' : ''}`;
  return {
    text: '',
    notes: [],
    advice: [
      `the teacher reads no prompt: ${PROMPTS_FILE} has ${list}, and none by default; teacher.prompt chooses one by its text, as in prompt: ${quoted(first[1])}, and prompt: '' says that none is meant`,
    ],
  };
}

/** The prompts that a teacher's files have and take none of: its names and texts; none where they have a default. @throws as `teacherPrompt` */
export function promptsWithoutDefault(files: Pick<ModelFiles, 'folders'>): readonly [string, string][] {
  const file = fileOf(files, PROMPTS_FILE);
  const { prompts, name } = file === undefined ? { prompts: {}, name: undefined } : readPrompts(file);
  return name === undefined ? choosable(prompts) : [];
}

function choosable(prompts: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(prompts).filter(([, prompt]) => prompt !== '');
}

/**
 * Tokens of a prompt before a text, with the special ones before them, as sentence-transformers counts them: of the prompt as a text of its
 * own, up to the special token that ends one.
 *
 * @throws LimbeckError `recipe.invalid` for a prompt that leaves no place for a text
 */
export function promptTokens(prompt: string, tokenizer: Tokenizer, maxLength: number): number {
  if (prompt === '') return 0;
  const { length } = tokenizer.encode(prompt);
  if (length < maxLength) return length - Math.min(1, tokenizer.frame.after);
  throw new LimbeckError('recipe.invalid', 'the prompt of the teacher leaves no place for a text', {
    where: `teacher.prompt: ${quoted(prompt)} has ${length} tokens, and the teacher reads ${maxLength}`,
    remedy: "Set teacher.prompt to a shorter text, or to '' for none.",
  });
}

/** What the file has; `name` is that of the default prompt, which is among them. */
function readPrompts(file: string): { prompts: Readonly<Record<string, string>>; name: string | undefined } {
  let json: unknown;
  try {
    json = readSettingsJson(file);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw invalid(file, `it is not JSON: ${(cause as Error).message}`, cause);
  }
  const { success, data, error } = schema.safeParse(json);
  if (!success) {
    const [key, name] = error.issues[0]?.path ?? [];
    const problem =
      key === undefined
        ? 'it is not an object'
        : key === 'default_prompt_name'
          ? 'its default_prompt_name is neither the name of a prompt nor null'
          : name === undefined
            ? 'its prompts are not an object of names and texts'
            : `its prompt '${String(name)}' is not a text`;
    throw invalid(file, problem, error);
  }
  const prompts = data.prompts ?? {};
  const name = data.default_prompt_name ?? undefined;
  if (name !== undefined && !Object.hasOwn(prompts, name)) {
    const has = Object.keys(prompts).slice(0, SHOWN).join(', ') || 'none';
    throw invalid(file, `its default_prompt_name is '${name}', and its prompts are ${has}`);
  }
  return { prompts, name };
}

function invalid(file: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('teacher.config', `the prompts of the teacher cannot be read: ${problem}`, {
    where: file,
    remedy:
      'Mend it as sentence-transformers writes it ({ "prompts": { "query": "query: " }, "default_prompt_name": "query" }), or set teacher.prompt to \'\' for none: then it is not read.',
    cause,
  });
}

function namedPrompt(name: string, text: string, file: string): LimbeckError {
  return new LimbeckError('recipe.invalid', `teacher.prompt is '${name}', which is the name of a prompt`, {
    where: `teacher.prompt; ${file} has its text: ${quoted(text)}`,
    remedy: `Give the text: prompt: ${quoted(text)}.`,
  });
}

/** As YAML and a sentence have it. */
export function quoted(prompt: string): string {
  const shown = prompt.length > 100 ? `${prompt.slice(0, 100)}...` : prompt;
  return /[\n\r\t']/.test(shown) ? JSON.stringify(shown) : `'${shown}'`;
}
