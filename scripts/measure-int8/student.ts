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
import { useLiteTokenizer } from '../../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { accuracy } from '../../src/metrics/accuracy.ts';
import { labelsTerm } from '../../src/objectives/cross-entropy.ts';
import type { Graph } from '../../src/onnx/graph.ts';
import { float32, type Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { randomStream } from '../../src/random.ts';
import { buildClassifier } from '../../src/students/build-student.ts';
import { textConv } from '../../src/students/text-conv.ts';
import { adamw } from '../../src/train/adamw.ts';
import { withParameters } from '../../src/train/step-graph.ts';
import { trainStudent } from '../../src/train/training-loop.ts';
import { AgreementMeter } from './agreement-meter.ts';
import { batchesOf, CLASSES, drawGlosses, type Gloss } from './glosses.ts';
import { printTable } from './table.ts';
import { argmax } from './teacher.ts';
import { timeModels } from './time-models.ts';

const BATCH = 128;
const EPOCHS = 4;
const FORMULATIONS: Int8Formulation[] = ['integer-to-float', 'matmul-integer', 'qdq'];

/** The default student, trained on labels, in int8: size, time and accuracy on held-out glosses. */
export async function measureStudent(engine: Engine, web: Engine): Promise<void> {
  const glosses = await drawGlosses(16_000, 2);
  const [train, test] = [glosses.slice(0, 12_000), glosses.slice(12_000)];
  const graph = await trained(engine, train);
  const calibration = batchesOf(train.slice(0, 512), 64).map(({ feeds }) => feeds);
  const values = [
    ...new Set(FORMULATIONS.flatMap((formulation) => valuesToCalibrate(graph, { formulation }))),
  ];
  const ranges = await collectRanges(graph, values, engine, calibration, { mask: 'attention_mask' });
  const quantize = (options: QuantizeStaticOptions) => quantizeStatic(graph, ranges, options);

  const models = new Map([['f32', graph]]);
  for (const formulation of FORMULATIONS) models.set(`static ${formulation}`, quantize({ formulation }));
  models.set('static tables per column', quantize({ tableScales: 'column' }));
  models.set('static tables per tensor', quantize({ tableScales: 'tensor' }));
  models.set('static mse', quantize({ range: { kind: 'mse' } }));
  models.set('static 8-bit weights', quantize({ reduceRange: false }));
  models.set('dynamic fused', quantizeDynamic(graph));
  models.set('dynamic standard', quantizeDynamic(graph, { formulation: 'standard' }));

  const short = test.filter(({ ids }) => ids.length <= 32 && ids.length > 16);
  const [one, many] = [batchesOf(short.slice(0, 1), 1), batchesOf(short.slice(0, 32), 32)];
  const single = await timeModels(models, engine, one[0].feeds, 200);
  const batch = await timeModels(models, engine, many[0].feeds, 60);
  const wasmBatch = await timeModels(models, web, many[0].feeds, 20);
  const reference = await evaluate(graph, engine, test);
  const rows: string[][] = [];
  for (const [name, model] of models) {
    const { accuracy, logits } = await evaluate(model, engine, test);
    const meter = new AgreementMeter();
    logits.forEach((tensor, i) => {
      meter.add(reference.logits[i], tensor);
    });
    const { top1, kl } = meter.result();
    rows.push([
      name,
      (writeModel(model).byteLength / 1000).toFixed(0),
      single.get(name)!.toFixed(3),
      batch.get(name)!.toFixed(2),
      `${(batch.get('f32')! / batch.get(name)!).toFixed(2)}x`,
      wasmBatch.get(name)!.toFixed(2),
      `${(100 * top1).toFixed(2)} %`,
      kl.toExponential(1),
      `${(100 * accuracy).toFixed(2)} %`,
    ]);
  }
  printTable(
    [
      'student',
      'kB',
      '1x32 ms',
      '32x32 ms',
      'speedup 32x32',
      'wasm 32x32 ms',
      'same decision',
      'KL',
      'accuracy',
    ],
    rows,
  );

  const sensitivities = await measureSensitivity({
    layers: quantizableLayers(graph).map((layer) => layer.name),
    quantize: (exclude) => quantize({ exclude }),
    evaluate: async (model) => (await evaluate(model, engine, test)).accuracy,
    reference: reference.accuracy,
  });
  printTable(
    ['layer alone in int8', 'points lost'],
    sensitivities.map(({ layer, loss }) => [layer, (100 * loss).toFixed(2)]),
  );
}

async function trained(engine: Engine, glosses: readonly Gloss[]): Promise<Graph> {
  const student = buildClassifier(textConv, textConv.options.parse({}), {
    vocabularySize: (await useLiteTokenizer()).vocabularySize,
    classes: CLASSES,
    maxLength: 64,
    random: randomStream(2, 'student'),
  });
  const all = batchesOf(glosses, BATCH).filter(({ labels }) => labels.length === BATCH);
  const validation = glosses.slice(0, 1000);
  const { parameters } = await trainStudent({
    engine,
    student,
    variants: Object.fromEntries([16, 32, 64].map((sequence) => [sequence, { batch: BATCH, sequence }])),
    terms: [labelsTerm({ weight: 1 })],
    optimizer: adamw({ weightDecay: 0.01 }),
    schedule: { peak: 3e-3, totalSteps: EPOCHS * all.length, warmup: 0.05, decay: 'cosine' },
    maxGradNorm: 1,
    batches: {
      batchesPerEpoch: all.length,
      batch: ({ epoch, index }) => {
        const { feeds, labels } = all[(index * 37 + epoch) % all.length];
        return {
          variant: String(feeds.input_ids.dims[1]),
          rows: BATCH,
          feeds: {
            ...feeds,
            labels: { type: 'int32', dims: [BATCH], data: Int32Array.from(labels) },
            row_weights: float32(new Float32Array(BATCH).fill(1)),
          },
        };
      },
    },
    evaluate: async (values) => {
      const { accuracy: right } = await evaluate(withParameters(student, values).graph, engine, validation);
      return { accuracy: right };
    },
    selection: { metric: accuracy() },
  });
  return withParameters(student, parameters).graph;
}

async function evaluate(
  graph: Graph,
  engine: Engine,
  glosses: readonly Gloss[],
): Promise<{ accuracy: number; logits: Tensor[] }> {
  const session = await engine.load(writeModel(graph));
  const logits: Tensor[] = [];
  let [right, total] = [0, 0];
  for (const { feeds, labels } of batchesOf(glosses, 64)) {
    const output = (await session.run(feeds)).logits;
    logits.push(output);
    right += labels.filter((label, row) => argmax(output, row) === label).length;
    total += labels.length;
  }
  await session.release();
  return { accuracy: right / total, logits };
}
