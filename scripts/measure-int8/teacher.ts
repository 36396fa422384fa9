import { collectRanges } from '../../src/compress/calibrate.ts';
import { measureSensitivity } from '../../src/compress/layer-sensitivity.ts';
import { quantizableLayers } from '../../src/compress/quantizable-layers.ts';
import { quantizeDynamic } from '../../src/compress/quantize-dynamic.ts';
import {
  type Int8Formulation,
  type QuantizeStaticOptions,
  quantizeStatic,
  valuesToCalibrate,
} from '../../src/compress/quantize-static.ts';
import type { Ranges } from '../../src/compress/range.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Graph } from '../../src/onnx/graph.ts';
import { float32, type Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { buildUseLiteEncoder } from '../../src/teachers/use-lite/encoder.ts';
import { readUseLiteWeights } from '../../src/teachers/use-lite/weights.ts';
import { AgreementMeter } from './agreement-meter.ts';
import { batchesOf, CLASSES, drawGlosses, type GlossBatch } from './glosses.ts';
import { printTable } from './table.ts';
import { timeModels } from './time-models.ts';

const FORMULATIONS: Int8Formulation[] = ['integer-to-float', 'matmul-integer', 'qdq'];

/** The others only differ in ranges and scales, which cost no time. */
const TIMED = new Set([
  'f32',
  ...FORMULATIONS.map((formulation) => `static ${formulation}`),
  'static tables per column',
  'dynamic fused',
  'dynamic standard',
]);

/** The sentence encoder in int8: size, time and agreement with float32 on real glosses. */
export async function measureTeacher(engine: Engine, web: Engine): Promise<void> {
  const encoder = buildUseLiteEncoder(await readUseLiteWeights());
  const glosses = await drawGlosses(2600, 1);
  const [calibration, labelled, test] = [
    glosses.slice(0, 256),
    glosses.slice(256, 1600),
    glosses.slice(1600),
  ];
  const classMeans = await meansByClass(encoder, engine, batchesOf(labelled, 32));

  const start = performance.now();
  const values = [
    ...new Set(FORMULATIONS.flatMap((formulation) => valuesToCalibrate(encoder, { formulation }))),
  ];
  const ranges = await collectRanges(
    encoder,
    values,
    engine,
    batchesOf(calibration, 32).map(({ feeds }) => feeds),
    { mask: 'attention_mask' },
  );
  console.log(
    `calibrated ${values.length} values on 256 glosses in ${(performance.now() - start).toFixed(0)} ms\n`,
  );

  const models = teacherModels(encoder, ranges);
  const shape = (batch: number, length: number) =>
    batchesOf(repeatTo(test, batch, length), batch).find(({ feeds }) => feeds.input_ids.dims[1] === length)!
      .feeds;
  const timed = new Map([...models].filter(([name]) => TIMED.has(name)));
  const node = [
    await timeModels(timed, engine, shape(32, 16), 15),
    await timeModels(timed, engine, shape(32, 32), 15),
    await timeModels(timed, engine, shape(32, 64), 6),
  ];
  const wasm = await timeModels(timed, web, shape(4, 16), 4);
  const reference = await outputsOf(encoder, engine, batchesOf(test, 32));
  const rows: string[][] = [];
  for (const [name, graph] of models) {
    const embeddings = new AgreementMeter();
    const decisions = new AgreementMeter();
    let [right, total] = [0, 0];
    const outputs = await outputsOf(graph, engine, batchesOf(test, 32));
    batchesOf(test, 32).forEach(({ labels }, i) => {
      embeddings.add(reference[i], outputs[i]);
      const scores = scoresOf(outputs[i], classMeans);
      decisions.add(scoresOf(reference[i], classMeans), scores);
      right += labels.filter((label, row) => argmax(scores, row) === label).length;
      total += labels.length;
    });
    const { cosine } = embeddings.result();
    const { top1, kl } = decisions.result();
    rows.push([
      name,
      (writeModel(graph).byteLength / 1e6).toFixed(2),
      ...[...node, wasm].map((times) => times.get(name)?.toFixed(1) ?? ''),
      timed.has(name) ? `${(node[1].get('f32')! / node[1].get(name)!).toFixed(2)}x` : '',
      cosine.toFixed(5),
      `${(100 * top1).toFixed(2)} %`,
      kl.toExponential(1),
      `${((100 * right) / total).toFixed(2)} %`,
    ]);
  }
  printTable(
    [
      'teacher',
      'MB',
      '32x16 ms',
      '32x32 ms',
      '32x64 ms',
      'wasm 4x16 ms',
      'speedup 32x32',
      'cosine',
      'same decision',
      'KL',
      'accuracy',
    ],
    rows,
  );
  await measureLayers(encoder, ranges, engine, batchesOf(test.slice(0, 320), 32), classMeans);
}

/** What each layer loses alone, and what is gained when the worst stay in float32. */
async function measureLayers(
  encoder: Graph,
  ranges: Ranges,
  engine: Engine,
  batches: readonly GlossBatch[],
  classMeans: readonly Float32Array[],
): Promise<void> {
  const reference = await outputsOf(encoder, engine, batches);
  const agreementOf = async (graph: Graph) => {
    const [embeddings, decisions] = [new AgreementMeter(), new AgreementMeter()];
    const outputs = await outputsOf(graph, engine, batches);
    outputs.forEach((output, i) => {
      embeddings.add(reference[i], output);
      decisions.add(scoresOf(reference[i], classMeans), scoresOf(output, classMeans));
    });
    return { cosine: embeddings.result().cosine, top1: decisions.result().top1 };
  };
  const quantize = (exclude: readonly string[]) => quantizeStatic(encoder, ranges, { exclude });
  const sensitivities = await measureSensitivity({
    layers: quantizableLayers(encoder).map((layer) => layer.name),
    quantize,
    evaluate: async (graph) => (await agreementOf(graph)).cosine,
    reference: 1,
  });
  printTable(
    ['layer alone in int8', '1 - cosine'],
    sensitivities.map(({ layer, loss }) => [layer, loss.toExponential(1)]),
  );
  const rows: string[][] = [];
  for (const count of [0, 1, 2, 3, 4]) {
    const exclude = sensitivities.slice(0, count).map(({ layer }) => layer);
    const graph = quantize(exclude);
    const { cosine, top1 } = await agreementOf(graph);
    const timed = new Map([
      ['f32', encoder],
      ['int8', graph],
    ]);
    const times = await timeModels(timed, engine, batches[batches.length - 1].feeds, 6);
    rows.push([
      exclude.at(-1) ?? 'none',
      cosine.toFixed(5),
      `${(100 * top1).toFixed(2)} %`,
      `${(times.get('f32')! / times.get('int8')!).toFixed(2)}x`,
    ]);
  }
  printTable(['also in float32', 'cosine', 'same decision', 'speedup'], rows);
}

function teacherModels(encoder: Graph, ranges: Ranges): Map<string, Graph> {
  const models = new Map([['f32', encoder]]);
  const add = (name: string, options: QuantizeStaticOptions) =>
    models.set(`static ${name}`, quantizeStatic(encoder, ranges, options));
  for (const formulation of FORMULATIONS) add(formulation, { formulation });
  add('percentile 99.99', { range: { kind: 'percentile', fraction: 0.9999 } });
  add('mse', { range: { kind: 'mse' } });
  add('tables per column', { tableScales: 'column' });
  add('tables per tensor', { tableScales: 'tensor' });
  add('8-bit weights', { reduceRange: false });
  models.set('dynamic fused', quantizeDynamic(encoder));
  models.set('dynamic standard', quantizeDynamic(encoder, { formulation: 'standard' }));
  return models;
}

/** `count` of the glosses that fit a length best, repeated when there are fewer. */
function repeatTo<T extends { ids: readonly number[] }>(
  glosses: readonly T[],
  count: number,
  length: number,
): T[] {
  const fitting = glosses.filter(
    ({ ids }) => ids.length <= length && ids.length > (length === 16 ? 0 : length / 2),
  );
  return Array.from({ length: count }, (_, i) => fitting[i % fitting.length]);
}

async function outputsOf(graph: Graph, engine: Engine, batches: readonly GlossBatch[]): Promise<Tensor[]> {
  const session = await engine.load(writeModel(graph));
  const name = graph.outputs[0].name;
  const outputs: Tensor[] = [];
  for (const { feeds } of batches) outputs.push((await session.run(feeds))[name]);
  await session.release();
  return outputs;
}

/** The mean embedding of each class, [CLASSES][width]: a classifier without training. */
async function meansByClass(
  encoder: Graph,
  engine: Engine,
  batches: readonly GlossBatch[],
): Promise<Float32Array[]> {
  const width = encoder.outputs[0].shape?.[1] as number;
  const means = Array.from({ length: CLASSES }, () => new Float32Array(width));
  const outputs = await outputsOf(encoder, engine, batches);
  batches.forEach(({ labels }, i) => {
    const data = outputs[i].data as Float32Array;
    labels.forEach((label, row) => {
      for (let k = 0; k < width; k++) means[label][k] += data[row * width + k];
    });
  });
  for (const mean of means) {
    const norm = Math.hypot(...mean) || 1;
    for (let k = 0; k < width; k++) mean[k] /= norm;
  }
  return means;
}

/** 20 times the cosine with each class: logits about as sharp as a trained head's. */
function scoresOf(embeddings: Tensor, means: readonly Float32Array[]): Tensor {
  const [rows, width] = embeddings.dims;
  const data = embeddings.data as Float32Array;
  const scores = new Float32Array(rows * CLASSES);
  for (let row = 0; row < rows; row++) {
    means.forEach((mean, label) => {
      let dot = 0;
      for (let k = 0; k < width; k++) dot += data[row * width + k] * mean[k];
      scores[row * CLASSES + label] = 20 * dot;
    });
  }
  return float32(scores, [rows, CLASSES]);
}

export function argmax(scores: Tensor, row: number): number {
  const [, width] = scores.dims;
  const data = (scores.data as Float32Array).subarray(row * width, (row + 1) * width);
  return data.indexOf(Math.max(...data));
}
