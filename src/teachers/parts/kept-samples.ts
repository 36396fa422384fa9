import type { Batch } from '../../data/batch.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { type BlockEntry, BlockWriter, readBlock } from './block-file.ts';
import type { PassFolder, PassState } from './pass-folder.ts';

/** So many batches are one file: what is done again after a part was interrupted within it. */
export const BATCHES_IN_BLOCK = 16;

const KEYS = '\u0000keys';
const ORDINALS = '\u0000ordinals';

/** Writes the samples of a pass down, so that every part reads the same batches. @returns the state of a pass that begins */
export async function keepSamples(
  folder: PassFolder,
  id: string,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): Promise<PassState> {
  let [samples, allRows, tokens, places, count] = [0, 0, 0, 0, 0];
  let writer: BlockWriter | undefined;
  try {
    for await (const batch of batches) {
      writer ??= new BlockWriter(folder.samples(Math.floor(count / BATCHES_IN_BLOCK)));
      writer.add(entryOf(batch));
      const spans = tokenSpans(batch);
      tokens += spans?.lengths.reduce((sum, length) => sum + length, 0) ?? 0;
      places += batch.rows * (spans?.padded ?? 0);
      samples += batch.filled;
      allRows += batch.rows;
      count++;
      if (count % BATCHES_IN_BLOCK > 0) continue;
      writer.finish();
      writer = undefined;
    }
  } catch (error) {
    writer?.abandon();
    throw error;
  }
  writer?.finish();
  const blocks = Math.ceil(count / BATCHES_IN_BLOCK);
  return { id, blocks, samples, rows: allRows, tokens, places, packs: null, parts: 0, answered: 0 };
}

/** The batches of a block, as they were. @throws DamagedBlock */
export function* keptBatches(folder: PassFolder, block: number): Generator<Batch> {
  for (const { tensors, facts } of readBlock(folder.samples(block))) {
    const columns = [...tensors].filter(([name]) => name !== KEYS && name !== ORDINALS);
    yield {
      ...(facts as Pick<Batch, 'rows' | 'filled' | 'sizes'>),
      keys: (tensors.get(KEYS) as Tensor).data as Uint8Array,
      ordinals: (tensors.get(ORDINALS) as Tensor).data as Uint32Array,
      columns: Object.fromEntries(columns),
    };
  }
}

function entryOf({ rows, filled, keys, ordinals, sizes, columns }: Batch): BlockEntry {
  return {
    facts: { rows, filled, sizes },
    tensors: new Map<string, Tensor>([
      [KEYS, { type: 'uint8', dims: [keys.length], data: keys }],
      [ORDINALS, { type: 'uint32', dims: [ordinals.length], data: ordinals }],
      ...Object.entries(columns),
    ]),
  };
}
