import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { LimbeckError } from '../errors.ts';
import type { TensorData } from '../onnx/data-type.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Session } from './engine.ts';

/** What we use of an ONNX Runtime module; `onnxruntime-node` and `onnxruntime-web` both have it. */
export type OrtModule = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor' | 'env'>;

/** ORT prints what it also throws; the thrown message is the one that people get to see. */
export const QUIET = { logSeverityLevel: 4 } as const;

export interface SessionTraits {
  /** What errors call the model. */
  title: string;
  /** Whether this ORT writes into the tensors that are given for outputs. */
  writesInPlace: boolean;
  /** Runs before the release. */
  end?: () => void;
}

/** The `Session` of an ORT session; shared by the engines of Node and of the web. */
export function sessionOver(ort: OrtModule, inner: InferenceSession, traits: SessionTraits): Session {
  const { title, writesInPlace, end } = traits;
  let released = false;
  // A step of a small model has hundreds of tensors: looking each up in a list was a tenth of its time.
  const inputs = new Set(inner.inputNames);
  const outputs = new Set(inner.outputNames);
  return {
    inputNames: inner.inputNames,
    outputNames: inner.outputNames,
    async run(feeds, fetches = {}) {
      if (released) throw new Error(`the session of ${title} has been released`);
      const wanted = Object.keys(fetches).length > 0 ? Object.keys(fetches) : inner.outputNames;
      checkNames(title, 'input', Object.keys(feeds), inputs);
      checkNames(title, 'output', wanted, outputs);
      checkNames(title, 'feed', inputs, new Set(Object.keys(feeds)));
      checkOverlap(feeds, fetches);
      let results: Readonly<Record<string, OrtTensor>>;
      try {
        const ortFeeds: Record<string, OrtTensor> = {};
        for (const [name, value] of Object.entries(feeds)) ortFeeds[name] = wrap(ort, value);
        const ortFetches: Record<string, OrtTensor | null> = {};
        for (const name of wanted) {
          const target = fetches[name];
          ortFetches[name] = target && writesInPlace ? wrap(ort, target) : null;
        }
        results = await inner.run(ortFeeds, ortFetches, QUIET);
      } catch (cause) {
        throw runError(cause, title);
      }
      const delivered: Record<string, Tensor> = {};
      for (const name of wanted) {
        delivered[name] = deliver(results[name] as OrtTensor, fetches[name] ?? null, title, name);
      }
      return delivered;
    },
    async release() {
      if (released) return;
      released = true;
      end?.();
      await inner.release();
    },
  };
}

/** An `ort.Tensor` over the same memory. */
function wrap(ort: OrtModule, value: Tensor): OrtTensor {
  if (value.type === 'bfloat16') throw new Error("ONNX Runtime's JavaScript API has no bfloat16 tensors");
  // The dims are copied so that ORT never holds, and never changes, ours.
  return new ort.Tensor(value.type as 'float32', value.data as Float32Array, [...value.dims]);
}

/** Our tensor for one of ORT's results: the caller's own where one was given. */
function deliver(result: OrtTensor, target: Tensor | null, title: string, name: string): Tensor {
  const data = result.data as unknown as TensorData;
  if (!target) return { type: result.type as Tensor['type'], dims: result.dims, data: asWords(data) };
  if (Array.isArray(data) || Array.isArray(target.data)) return { ...target, data };
  if (data.buffer !== target.data.buffer || data.byteOffset !== target.data.byteOffset) {
    if (data.length !== target.data.length) {
      throw new Error(`output '${name}' of ${title} has shape [${result.dims}], not [${target.dims}]`);
    }
    (target.data as Float32Array).set(asWords(data) as Float32Array);
  }
  return target;
}

/** float16 data as raw words: newer JavaScript engines give a Float16Array, which our tensors do not use. */
function asWords(data: TensorData): TensorData {
  if (Array.isArray(data) || data.constructor.name !== 'Float16Array') return data;
  return new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
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
      if (from < end && begin < to) {
        throw new Error(`output '${output}' would be written over the memory of input '${input}'`);
      }
    }
  }
}

/** ORT's error of a run, told with the node where it happened. */
function runError(cause: unknown, title: string): Error {
  const message = messageOf(cause);
  const node = /while running (\S+) node\. Name:'([^']*)'/.exec(message);
  const status = /Status Message: (.*)/s.exec(message)?.[1] ?? message;
  return new LimbeckError('engine.run', `running ${title} failed: ${firstLine(status)}`, {
    where: node ? `node '${node[2]}' (${node[1]})` : title,
    remedy: 'Check the types and shapes of the inputs against what the model declares.',
    cause,
  });
}

/** ORT's error of loading a model, with the place that its message names. */
export function loadError(cause: unknown, title: string): LimbeckError {
  const message = messageOf(cause);
  const node = /Node(?:\s*\(|:\s*)([^)\s]+)\)?.*?Op(?:\s*\(|:\s*)([^)\s]+)\)?/.exec(message);
  return new LimbeckError('engine.load', `ONNX Runtime cannot load ${title}: ${firstLine(message)}`, {
    where: node ? `node '${node[1]}' (${node[2]})` : title,
    remedy:
      'Check that the file is a whole ONNX model, of operators and an opset that this ONNX Runtime knows.',
    cause,
  });
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The part that a person wants to read, without ORT's source paths, C++ signatures and own error numbers. */
export function firstLine(message: string): string {
  return message
    .replace(/^.*ERROR_MESSAGE: /s, '')
    .replace(/^\/onnxruntime_src\/.* was false\. /s, '')
    .replace(/\/onnxruntime_src\/\S+:\d+ .*?(?:\)|\]) (?=\S)/s, '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 2)
    .join(' ');
}
