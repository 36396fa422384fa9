import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { DataType, TensorData } from '../onnx/data-type.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { InputMetadata } from './engine.ts';
import type { RawSession } from './session.ts';

/** What we use of an ONNX Runtime module; `onnxruntime-node` and `onnxruntime-web` both have it. */
export type OrtModule = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor' | 'env'>;

/** ORT prints what it also throws; the thrown message is the one that people get to see. */
export const QUIET = { logSeverityLevel: 4 } as const;

export interface OrtSessionTraits {
  /** Whether this ORT writes into the tensors that are given for outputs. */
  writesInPlace: boolean;
  /** Runs before the release. */
  end?: () => void;
}

/** The session of an ORT module, as JavaScript has it; shared by the engines of Node and of the web. */
export function ortSession(ort: OrtModule, inner: InferenceSession, traits: OrtSessionTraits): RawSession {
  const { writesInPlace, end } = traits;
  return {
    inputNames: inner.inputNames,
    outputNames: inner.outputNames,
    ...(inner.inputMetadata && { inputMetadata: inner.inputMetadata.flatMap(metadataOf) }),
    async run(feeds, fetches) {
      const ortFeeds: Record<string, OrtTensor> = {};
      for (const [name, value] of Object.entries(feeds)) ortFeeds[name] = wrap(ort, value);
      const ortFetches: Record<string, OrtTensor | null> = {};
      for (const [name, target] of Object.entries(fetches))
        ortFetches[name] = target && writesInPlace ? wrap(ort, target) : null;
      const results = await inner.run(ortFeeds, ortFetches, QUIET);
      const delivered: Record<string, Tensor> = {};
      for (const [name, target] of Object.entries(fetches))
        delivered[name] = deliver(results[name] as OrtTensor, target, { name, writesInPlace });
      return delivered;
    },
    async release() {
      end?.();
      await inner.release();
    },
  };
}

function metadataOf(input: InferenceSession.ValueMetadata): InputMetadata[] {
  return input.isTensor ? [{ name: input.name, type: input.type as DataType, shape: input.shape }] : [];
}

/** An `ort.Tensor` over the same memory. */
function wrap(ort: OrtModule, value: Tensor): OrtTensor {
  if (value.type === 'bfloat16') throw new Error("ONNX Runtime's JavaScript API has no bfloat16 tensors");
  // The dims are copied so that ORT never holds, and never changes, ours.
  const dims = [...value.dims];
  if (value.type === 'float16' && hasHalfFloats()) {
    // It would be made a Float16Array, which onnxruntime-node 1.30 takes for an empty one.
    const words = new ort.Tensor('uint16', value.data as Uint16Array, dims);
    return Object.assign(words, { type: 'float16' });
  }
  return new ort.Tensor(value.type as 'float32', value.data as Float32Array, dims);
}

/** Whether this JavaScript engine has arrays of float16: Node from 24 on. */
function hasHalfFloats(): boolean {
  return 'Float16Array' in globalThis;
}

/** Our tensor for one of ORT's results: the caller's own where one was given. */
function deliver(
  result: OrtTensor,
  target: Tensor | null,
  { name, writesInPlace }: { name: string; writesInPlace: boolean },
): Tensor {
  const data = result.data as unknown as TensorData;
  if (!target) return { type: result.type as Tensor['type'], dims: result.dims, data: asWords(data) };
  if (Array.isArray(data) || Array.isArray(target.data)) return { ...target, data };
  if (data.length !== target.data.length)
    throw new Error(`output '${name}' has shape [${result.dims}], not [${target.dims}]`);
  // Where ORT wrote in place, the result is a copy of what the target holds already (onnxruntime-node 1.30).
  if (!writesInPlace) (target.data as Float32Array).set(asWords(data) as Float32Array);
  return target;
}

/** float16 data as raw words: newer JavaScript engines give a Float16Array, which our tensors do not use. */
function asWords(data: TensorData): TensorData {
  if (Array.isArray(data) || data.constructor.name !== 'Float16Array') return data;
  return new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
}
