import type { Batch } from '../../data/batch.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Session } from '../../engine/engine.ts';
import { tensorBytes } from '../../onnx/encode-tensor.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { packTokens, withoutPaddedPlaces } from './packed-tokens.ts';
import type { PartedModel } from './parted-model.ts';

/** Runs a part on a batch, with what earlier parts carry to it: what it carries on, and its answers. */
export type RunPart = (
  session: Session,
  part: number,
  batch: Batch,
  values: ReadonlyMap<string, Tensor>,
) => Promise<Record<string, Tensor>>;

/**
 * Looks whether a model's answers to a batch are the same bits where padded places hold zeros between its parts. Attention that
 * leaves padding out by a mask multiplies it by exact zeros; what looks at padding has to be carried with it.
 *
 * @returns the first answer that differs; undefined where none does
 */
export async function lookAtPadding(
  model: PartedModel,
  batch: Batch,
  taps: readonly string[],
  run: RunPart,
): Promise<string | undefined> {
  const spans = tokenSpans(batch);
  if (!spans) return undefined;
  const whole = new Map<string, Tensor>();
  const packed = new Map<string, Tensor>();
  for (const part of model.parts.keys()) {
    const session = await model.open(part);
    try {
      for (const [name, value] of Object.entries(await run(session, part, batch, whole)))
        whole.set(name, value);
      for (const [name, value] of Object.entries(await run(session, part, batch, packed)))
        packed.set(name, model.byToken.has(name) ? withoutPaddedPlaces(value, spans) : value);
    } finally {
      await session.release();
    }
  }
  return taps.find((tap) => {
    const [own, other] = [whole, packed].map((known) => {
      const value = known.get(tap) as Tensor;
      // In places of padding answers to tokens say nothing; neither do rows that are no samples.
      return model.byToken.has(tap) ? packTokens(value, spans) : rowsOf(value, batch);
    });
    return !sameBits(own as Tensor, other as Tensor);
  });
}

/** The part of a batch's places that is padding; undefined where samples are no sequences. */
export function paddingOf(batch: Batch): number | undefined {
  const spans = tokenSpans(batch);
  if (!spans || batch.filled === 0) return undefined;
  return 1 - spans.lengths.reduce((sum, length) => sum + length, 0) / (batch.filled * spans.padded);
}

/** The rows of a value that are samples. */
function rowsOf({ type, dims, data }: Tensor, { rows, filled }: Batch): Tensor {
  const width = data.length / rows;
  return { type, dims: [filled, ...dims.slice(1)], data: (data as Float32Array).subarray(0, filled * width) };
}

function sameBits(a: Tensor, b: Tensor): boolean {
  const [own, other] = [tensorBytes(a), tensorBytes(b)];
  return own.byteLength === other.byteLength && own.every((byte, i) => byte === other[i]);
}
