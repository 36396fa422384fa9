import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataType } from '../../onnx/data-type.ts';
import type { Shape } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { float32 } from '../../onnx/tensor.ts';

export interface TextModelChoices {
  rows?: number;
  inputs?: readonly [name: string, type: DataType, shape: Shape][];
  output?: string;
  /** Averages over the tokens, so that the output is [batch, 3]; without it [batch, sequence, 3]. */
  pooled?: boolean;
}

const INPUTS: NonNullable<TextModelChoices['inputs']> = [
  ['input_ids', 'int64', ['n', 'length']],
  ['attention_mask', 'int64', ['n', 'length']],
];

/** A folder with `model.onnx`, an embedding of `rows` x 3 whose row i is [i, 2 i, 1], and a tokenizer of 4 pieces. */
export function textModelFolder(choices: TextModelChoices = {}): {
  model: string;
  tokenizer: string;
  remove: () => void;
} {
  const { rows = 4, inputs = INPUTS, output = 'logits', pooled = true } = choices;
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-teacher-'));
  const g = new GraphBuilder();
  const [ids] = inputs.map(([name, type, shape]) => g.input(name, type, shape));
  const table = Array.from({ length: rows }, (_, i) => [i, 2 * i, 1]).flat();
  const embedded = g.gather(g.initializer('table', float32(table, [rows, 3])), ids);
  g.output(pooled ? g.reduceMean(embedded, { axes: [1], keepDims: false }) : embedded, output);
  const paths = { model: join(folder, 'model.onnx'), tokenizer: join(folder, 'tokenizer.json') };
  writeModelFile(paths.model, g.build());
  const vocab = ['<unk>', '▁', '▁a', 'b'].map((piece, i) => [piece, -i]);
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: 'Prepend', prepend: '▁' },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'Unigram', unk_id: 0, vocab, byte_fallback: false },
  };
  writeFileSync(paths.tokenizer, JSON.stringify(tokenizer));
  return { ...paths, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
