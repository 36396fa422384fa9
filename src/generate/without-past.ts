import type { Session } from '../engine/engine.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';

/** Inputs of a decoder for what it computed of earlier tokens. */
const PAST = /^past_key_values\.\d+\.(?:key|value)$/;
const PRESENT = /^present\.\d+\.(?:key|value)$/;

/**
 * A decoder's session that reads texts whole: what it would keep of earlier tokens is empty, and what it keeps of these is not
 * given out. Other sessions stay as they are.
 */
export function withoutPast(session: Session): Session {
  const past = (session.inputMetadata ?? []).filter(({ name }) => PAST.test(name));
  if (past.length === 0) return session;
  const outputNames = session.outputNames.filter((name) => !PRESENT.test(name));
  return {
    ...session,
    inputNames: session.inputNames.filter((name) => !PAST.test(name)),
    outputNames,
    ...(session.inputMetadata && {
      inputMetadata: session.inputMetadata.filter(({ name }) => !PAST.test(name)),
    }),
    run: (feeds, fetches = Object.fromEntries(outputNames.map((name) => [name, null]))) =>
      session.run({ ...emptyPast(past, rowsOf(feeds)), ...feeds }, fetches),
    release: () => session.release(),
  };
}

/** What a decoder is given of a past that there is not, for so many texts; nothing where it takes none. */
export function emptyPast(
  inputs: readonly { readonly name: string; readonly type: unknown; readonly shape?: unknown }[],
  rows: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    inputs
      .filter(({ name }) => PAST.test(name))
      .map(({ name, type, shape }) => {
        const [, heads, , size] = shape as readonly number[];
        const dims = [rows, heads as number, 0, size as number];
        const half = type === 'float16';
        return [
          name,
          tensor(half ? 'float16' : 'float32', dims, half ? new Uint16Array(0) : new Float32Array(0)),
        ];
      }),
  );
}

/** Whether a name is that of what a decoder keeps: of an input, or of an output. */
export function isOfPast(name: string): boolean {
  return PAST.test(name) || PRESENT.test(name);
}

function rowsOf({ input_ids: ids }: Readonly<Record<string, Tensor>>): number {
  if (!ids) throw new Error('a decoder is fed without input_ids');
  return ids.dims[0] as number;
}
