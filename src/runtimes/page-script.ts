import { runInPlace } from './run-in-place.ts';

/** The name under which the page leaves what it found. */
export const FOUND = 'limbeckFound';

/**
 * The script of the page: it takes the assignment from its server, runs it, and leaves the answer.
 *
 * @param ort the file of onnxruntime-web's module
 */
export function pageScript(ort: string, provider: 'wasm' | 'webgpu'): string {
  return `
// What a loader of TypeScript puts around functions.
globalThis.__name = (target) => target;
const runInPlace = ${runInPlace.toString()};
const ARRAYS = { float32: Float32Array, float64: Float64Array, float16: globalThis.Float16Array ?? Uint16Array, int8: Int8Array, uint8: Uint8Array,
  int16: Int16Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array, bool: Uint8Array };
const received = (feeds) => Object.fromEntries(Object.entries(feeds).map(([name, { type, dims, bytes }]) => {
  const raw = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
  return [name, { type, dims, data: new ARRAYS[type](raw.buffer) }];
}));
const sent = (feeds) => Object.fromEntries(Object.entries(feeds).map(([name, { type, dims, data }]) => {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let text = '';
  for (let i = 0; i < raw.length; i += 8192) text += String.fromCharCode(...raw.subarray(i, i + 8192));
  return [name, { type, dims, bytes: btoa(text) }];
}));
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const found = {};
// ONNX Runtime writes its profile there, and remembers this function when it is loaded.
const profile = [];
console.log = (line) => void profile.push(String(line));
try {
  const asked = await (await fetch('/assignment.json')).json();
  const ort = await import('/ort/${ort}');
  ort.env.logLevel = 'fatal';
  ort.env.wasm.wasmPaths = '/ort/';
  ort.env.wasm.numThreads = asked.threads;
  const options = { executionProviders: ['${provider}'], graphOptimizationLevel: 'all', logSeverityLevel: 4 };
  const assignment = { ...asked, model: await bytes('/model.onnx'), one: asked.one.map(received), many: asked.many.map(received),
    answered: asked.answered.map(received) };
  const ran = await runInPlace(ort, assignment, options, await bytes('/identity.onnx'));
  const adapter = ${provider === 'webgpu' ? '(await ort.env.webgpu.device)?.adapterInfo ?? (await navigator.gpu.requestAdapter())?.info' : 'undefined'};
  found.result = { ...ran, answers: ran.answers.map(sent), version: ort.env.versions.web ?? ort.env.versions.common,
    isolated: crossOriginIsolated, profile: asked.profiled && profile, adapter: adapter && { vendor: adapter.vendor, architecture: adapter.architecture, description: adapter.description,
      isFallback: adapter.isFallbackAdapter } };
} catch (error) {
  found.problem = error?.message ?? String(error);
}
globalThis.${FOUND} = found;
`;
}
