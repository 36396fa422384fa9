import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import { MODEL_FILE } from '../export/package-folder.ts';
import { readGeneratorParts, TextGenerator } from '../generate/text-generator.ts';
import { existsSync } from '../platform/files.ts';
import { join, resolve } from '../platform/paths.ts';
import { outputsOf } from '../recipe/parts.ts';
import type { Recipe } from '../recipe/schema.ts';
import { readSettings } from '../settings-file.ts';
import { reopenRun } from './context/finished-run.ts';

export interface OpenTextGeneratorOptions {
  /** onnxruntime-node by default. */
  readonly engine?: Pick<Engine, 'load'> | undefined;
  /** Which of the folder's models is run, by its path there: `onnx/model.onnx`, or `model.onnx` where that is all there is. */
  readonly model?: string | undefined;
}

/**
 * Opens a language model, to go on from texts with it.
 *
 * @param target a run's folder, whose student is taken, or a model's in the layout of the Hugging Face hub
 * @example
 * const model = await openTextGenerator('runs/stories');
 * const { text } = await model.generate('Once upon a time', { maxNewTokens: 50, temperature: 0.8, seed: 1 });
 * await model.release();
 * @throws LimbeckError `model.not-found` for a folder without a model, `generate.model` for a model that is no decoder and for a run of another task,
 *   `tokenizer.invalid`, what loading the model throws
 */
export async function openTextGenerator(
  target: string,
  { engine = createNodeEngine(), model }: OpenTextGeneratorOptions = {},
): Promise<TextGenerator> {
  const folder = modelFolder(resolve(target));
  const file =
    model ?? [MODEL_FILE, 'model.onnx'].find((name) => existsSync(join(folder, name))) ?? MODEL_FILE;
  const pathOf = (name: string) => {
    const path = join(folder, name);
    if (existsSync(path)) return path;
    throw new LimbeckError('model.not-found', `the folder of the language model has no ${name}`, {
      where: folder,
      remedy:
        'Give the folder of a run of the task text-generation, or one with config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.',
    });
  };
  const parts = await readGeneratorParts(async (name) => readSettings(pathOf(name)));
  // By its path: the weights of a large model are a file beside it.
  const session = await engine.load(pathOf(file));
  return TextGenerator.over(session, parts);
}

/** @throws LimbeckError `generate.model` for a run whose student answers something else than the next token */
function requireLanguageModel(run: string): void {
  const recipe = recipeOf(run);
  if (!recipe || outputsOf(recipe).some(({ target }) => target === 'next-tokens')) return;
  throw new LimbeckError(
    'generate.model',
    `the run has no language model that could go on from a text: its task is ${recipe.task}`,
    {
      where: run,
      remedy: `\`limbeck eval\` measures what its student answers, and ${join(run, 'student', 'README.md')} shows how to call it.`,
    },
  );
}

/** Undefined for one that this version cannot read: then its model is looked at. */
function recipeOf(run: string): Recipe | undefined {
  try {
    return reopenRun(run).recipe;
  } catch {
    return undefined;
  }
}

/** @throws LimbeckError `model.not-found`, `export.missing` for a run that has no student yet */
function modelFolder(path: string): string {
  if (!existsSync(path)) {
    throw new LimbeckError('model.not-found', "there is no such run's or model's folder", {
      where: path,
      remedy: 'Give the folder of a run, for example runs/stories, or of a model.',
    });
  }
  if (!existsSync(join(path, 'recipe.resolved.yaml'))) return path;
  requireLanguageModel(path);
  const student = join(path, 'student');
  if (existsSync(student)) return student;
  throw new LimbeckError('export.missing', 'the run has no student yet', {
    where: path,
    remedy: 'Let the run finish: `limbeck distill` with its recipe and folder.',
  });
}
