import type { GroundTruth } from '../ground-truth.ts';
import { type ClassLabelsOptions, classLabels } from '../labels/class-labels.ts';
import { text } from '../modalities/text/text.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../prepared/dataset-manifest.ts';
import { type PrepareOptions, prepareDataset } from '../prepared/prepare-dataset.ts';

export interface PrepareTextsOptions extends Omit<PrepareOptions, 'inputs' | 'outputs'>, ClassLabelsOptions {
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  readonly buckets: readonly number[];
}

const SHORT = { field: 'data.source.labelField', labels: 'data.labels' };

/** Prepares rows with a `text` and a `label`, as a recipe in its short form has them. */
export async function prepareTexts(options: PrepareTextsOptions): Promise<PreparedDataset> {
  const { tokenizer, maxLength, buckets, labels, renameLabels, classes, ...rest } = options;
  const processor = await text.open(
    {},
    { input: 'text', fields: ['text'], maxLength, buckets, tokenizer, resolvePath: (path) => path },
  );
  const truth = classLabels({ labels, renameLabels, classes }) as GroundTruth;
  return prepareDataset({
    ...rest,
    inputs: [{ name: 'text', fields: ['text'], key: 'data.source.textField', modality: 'text', processor }],
    outputs: [{ name: 'logits', field: 'label', keys: SHORT, truth }],
  });
}
