import { modalitiesOf } from '../../recipe/misplaced-kinds.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { Task } from '../context/task.ts';
import { anySamples } from './any-samples.ts';
import { audioClassification } from './audio-classification.ts';
import { imageClassification } from './image-classification.ts';
import { textClassification } from './text-classification.ts';

/** What reads samples of one modality alone; all others are read by `anySamples`. */
const READERS: Readonly<Record<string, typeof textClassification>> = {
  text: textClassification,
  image: imageClassification,
  audio: audioClassification,
};

/** Opens what the recipe's task needs before its data: its teacher, its tokenizer. */
export function openTask(run: { readonly recipe: Recipe; readonly options: RunOptions }): Promise<Task> {
  return (READERS[modalitiesOf(run.recipe)] ?? anySamples)(run);
}
