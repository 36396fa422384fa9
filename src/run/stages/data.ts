import { dirname, join } from 'node:path';
import { prepareTextDataset } from '../../data/prepare-text-dataset.ts';
import { openSource } from '../../data/sources/index.ts';
import type { TextDataset } from '../../data/text-dataset.ts';
import type { Tokenizer } from '../../data/tokenizer.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { RunOptions } from '../api.ts';
import { recipePathResolver } from '../recipe-paths.ts';
import { dataCacheFolder, type RunContext, runStage } from '../run-context.ts';

/** Reads, splits and tokenizes the data, or finds it prepared by an earlier run. */
export function dataStage(run: RunContext, tokenizer: Tokenizer): Promise<TextDataset> {
  const { recipe, options } = run;
  return runStage(run, 'data', 'Read and tokenize the data', async () => {
    const value = await prepareData(recipe, options, tokenizer, (rows) =>
      run.emit({ type: 'progress', stage: 'data', task: 'reading', done: rows, total: 0, unit: 'rows' }),
    );
    try {
      run.folder.acceptInput('data', value.contentHash);
    } catch (error) {
      value.close();
      throw error;
    }
    const { train, labelled, validation, test } = value.splits;
    const { broken } = value.statistics;
    if (broken.count > 0) {
      const [first] = broken.first;
      run.warn(`${broken.count} broken rows were left out; the first: ${first?.where}: ${first?.problem}`);
    }
    const sizes = `${train.size} to train on (${labelled.size} with labels), ${validation.size} to validate, ${test.size} to test`;
    return { value, summary: `${value.title}: ${sizes}${value.reused ? '; prepared earlier' : ''}` };
  });
}

/** The recipe's data, prepared. */
export async function prepareData(
  recipe: Recipe,
  options: RunOptions,
  tokenizer: Tokenizer,
  onProgress?: (rows: number) => void,
): Promise<TextDataset> {
  const folder = dataCacheFolder(recipe, options);
  const source = await openSource(recipe.data.source, {
    resolvePath: recipePathResolver(options, 'data.source'),
    cacheFolder: join(dirname(folder), 'downloads'),
    signal: options.signal,
  });
  return prepareTextDataset({
    ...recipe.data,
    source,
    tokenizer,
    seed: recipe.seed,
    folder,
    signal: options.signal,
    onProgress,
  });
}
