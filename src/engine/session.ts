import { LimbeckError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { InputMetadata, Session } from './engine.ts';
import { runError } from './ort-errors.ts';

/** A loaded model as some binding of ONNX Runtime has it: names are right, all inputs are there, errors are ORT's own. */
export interface RawSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata?: readonly InputMetadata[];
  readonly runsAtOnce?: number;
  /** `fetches` names at least one output. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Readonly<Record<string, Tensor | null>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/**
 * The `Session` over a raw one: checks what a run is given, and tells its errors. `title` is what they call the model;
 * `overwrites` are outputs that may be where an input is.
 */
export function sessionOver(
  inner: RawSession,
  title: string,
  overwrites: ReadonlySet<string> = new Set(),
): Session {
  let released = false;
  // A step of a small model has hundreds of tensors: looking each up in a list was a tenth of its time.
  const inputs = new Set(inner.inputNames);
  const outputs = new Set(inner.outputNames);
  return {
    inputNames: inner.inputNames,
    outputNames: inner.outputNames,
    ...(inner.inputMetadata && { inputMetadata: inner.inputMetadata }),
    ...(inner.runsAtOnce !== undefined && { runsAtOnce: inner.runsAtOnce }),
    async run(feeds, fetches = {}) {
      if (released) throw new Error(`the session of ${title} has been released`);
      const wanted =
        Object.keys(fetches).length > 0
          ? fetches
          : Object.fromEntries(inner.outputNames.map((name) => [name, null]));
      checkNames(title, 'input', Object.keys(feeds), inputs);
      checkNames(title, 'output', Object.keys(wanted), outputs);
      checkNames(title, 'feed', inputs, new Set(Object.keys(feeds)));
      checkOverlap(feeds, wanted, overwrites);
      try {
        return await inner.run(feeds, wanted);
      } catch (cause) {
        throw runError(cause, title);
      }
    },
    async release() {
      if (released) return;
      released = true;
      await inner.release();
    },
  };
}

function checkNames(title: string, kind: string, names: Iterable<string>, known: ReadonlySet<string>): void {
  for (const name of names) {
    if (known.has(name)) continue;
    if (kind === 'feed') {
      throw new LimbeckError('engine.run', `${title} needs input '${name}', which was not given`, {
        where: `given: ${[...known].join(', ') || 'nothing'}`,
        remedy: 'Feed every input that the model declares.',
      });
    }
    throw new LimbeckError('engine.run', `${title} has no ${kind} named '${name}'`, {
      where: `its ${kind}s: ${[...known].join(', ')}`,
      remedy: `Name one of the model's ${kind}s.`,
    });
  }
}

/** An output written over an input of the same run would give wrong numbers without a word; so it throws. */
function checkOverlap(
  feeds: Readonly<Record<string, Tensor>>,
  fetches: Readonly<Record<string, Tensor | null>>,
  overwrites: ReadonlySet<string>,
): void {
  const byBuffer = new Map<ArrayBufferLike, [string, number, number][]>();
  for (const [name, { data }] of Object.entries(feeds)) {
    if (Array.isArray(data)) continue;
    const spans = byBuffer.get(data.buffer) ?? [];
    spans.push([name, data.byteOffset, data.byteOffset + data.byteLength]);
    byBuffer.set(data.buffer, spans);
  }
  for (const [output, target] of Object.entries(fetches)) {
    if (!target || Array.isArray(target.data)) continue;
    const begin = target.data.byteOffset;
    const end = begin + target.data.byteLength;
    for (const [input, from, to] of byBuffer.get(target.data.buffer) ?? []) {
      const isMeant = overwrites.has(output) && from === begin && to === end;
      if (from < end && begin < to && !isMeant) {
        throw new Error(`output '${output}' would be written over the memory of input '${input}'`);
      }
    }
  }
}
