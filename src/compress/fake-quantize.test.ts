import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { shippedForm } from '../run/shipping/shipped-form.ts';
import { buildClassifier } from '../students/build-student.ts';
import { efficientnetLite } from '../students/efficientnet-lite.ts';
import { mobilenetV3 } from '../students/mobilenet-v3.ts';
import { resnet } from '../students/resnet.ts';
import type { Student } from '../students/student.ts';
import { compileForward } from '../train/compile-step.ts';
import { trainedTensors } from '../train/step-graph.ts';
import { collectRanges, type Feeds } from './calibrate.ts';
import { type FakeQuantizeOptions, fakeQuantize } from './fake-quantize.ts';
import { type QuantizeOptions, quantizeStatic, valuesToCalibrate } from './quantize-static.ts';

const engine = createNodeEngine({ threads: 1 });

function random(seed: string, dims: readonly number[], size = 1): Tensor {
  const stream = randomStream(5, seed);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, () => size * (2 * stream.uniform() - 1)),
    dims,
  );
}

async function run(graph: Graph, feeds: Feeds): Promise<Record<string, Tensor>> {
  const session = await engine.load(writeModel(graph));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** A student in the form that ships; its parameters are the weights and biases that are left. */
function shipped(student: Student): Student {
  const graph = shippedForm({ student });
  const names = new Set([...graph.initializers.keys()].map(({ name }) => name));
  return { graph, parameters: student.parameters.filter((name) => names.has(name)) };
}

async function calibrated(graph: Graph, feeds: Feeds, options: QuantizeOptions = {}) {
  const ranges = await collectRanges(graph, valuesToCalibrate(graph, options), engine, [feeds]);
  return new Map([...ranges].map(([name, { min, max }]) => [name, [min, max] as const]));
}

/** What a training step computes for the outputs of a fake-quantised student. */
async function trainingAnswers(student: Student, feeds: Feeds): Promise<Record<string, Tensor>> {
  const batch = (feeds.pixel_values ?? (feeds.x as Tensor)).dims[0] as number;
  const forward = compileForward(
    student,
    { batch },
    student.graph.outputs.map(({ name }) => name),
  );
  return run(forward, { ...Object.fromEntries(trainedTensors(student)), ...feeds });
}

const size = () => ({ channels: 1, height: 12, width: 12, classes: 5, random: randomStream(2, 'student') });
const STUDENTS: Record<string, () => Student> = {
  resnet: () =>
    buildClassifier(resnet, { width: 8, stages: 2, blocks: 1, bottleneck: false, zeroInit: false }, size()),
  'mobilenet-v3': () => buildClassifier(mobilenetV3, { size: 'tiny', width: 0.5, momentum: 0.99 }, size()),
  'efficientnet-lite': () =>
    buildClassifier(efficientnetLite, { size: 'tiny', width: 0.5, momentum: 0.99 }, size()),
};

/** A network for which all combinations take no time. */
const small = () =>
  buildClassifier(
    resnet,
    { width: 4, stages: 1, blocks: 1, bottleneck: false, zeroInit: false },
    { channels: 1, height: 6, width: 6, classes: 3, random: randomStream(2, 'small') },
  );

const OPTIONS: Record<string, QuantizeOptions> = {
  'as it ships': {},
  'a scale for a tensor': { weightScales: 'tensor' },
  'weights of 4 bits': { weightBits: 4 },
};

const STEPS: readonly FakeQuantizeOptions['steps'][] = [
  { kind: 'observed', momentum: 0.9, freezeAfter: 10 },
  { kind: 'learnt' },
];

describe('fake quantisation', () => {
  const cases = Object.keys(STUDENTS).flatMap((name) =>
    Object.keys(OPTIONS).flatMap((form) => STEPS.map((steps) => [name, form, steps] as const)),
  );

  it.each(cases)(
    '%s, %s: answers as ONNX Runtime does from the int8 file (%o)',
    async (name, form, steps) => {
      const student = shipped((STUDENTS[name] as () => Student)());
      const options = OPTIONS[form] as QuantizeOptions;
      const feeds = { pixel_values: random('images', [4, 1, 12, 12]) };
      const ranges = await calibrated(student.graph, feeds, options);
      const fake = fakeQuantize(student, { ...options, ranges, steps });
      const trained = fake.trained(new Map());
      const small = quantizeStatic(student.graph, new Map(), { ...options, trained });
      const [learnt, answered, exact] = [
        await trainingAnswers(fake.student, feeds),
        await run(small, feeds),
        await run(student.graph, feeds),
      ];
      const off = (a: Tensor, b: Tensor) =>
        Math.max(...(a.data as Float32Array).map((value, i) => Math.abs(value - (b.data[i] as number))));
      const rounding = off(exact.logits as Tensor, answered.logits as Tensor);
      expect(rounding).toBeGreaterThan(0);
      // In the last bits; where a sum lies between two levels and float32 rounds it to the other one, by one of them.
      const bound = name === 'resnet' ? 1e-6 : 0.5 * rounding;
      expect(off(learnt.logits as Tensor, answered.logits as Tensor)).toBeLessThan(bound);
    },
  );

  const combinations = ([8, 6, 4, 2] as const).flatMap((weightBits) =>
    (['channel', 'tensor'] as const).flatMap((weightScales) =>
      STEPS.map((steps) => [weightBits, weightScales, steps.kind, steps] as const),
    ),
  );

  it.each(combinations)(
    'weights of %i bits, a scale for each %s, %s steps',
    async (weightBits, weightScales, _, steps) => {
      const student = shipped(small());
      const feeds = { pixel_values: random('images', [2, 1, 6, 6]) };
      const options = { weightBits, weightScales };
      const ranges = await calibrated(student.graph, feeds, options);
      const fake = fakeQuantize(student, { ...options, ranges, steps });
      // As after some steps: a learnt step is four or five times what it began as.
      const parameters = [...trainedTensors(fake.student)].map(([name, one]): [string, Tensor] => {
        const isStep = name.endsWith('/change');
        return [name, isStep ? { ...one, data: (one.data as Float32Array).map((_, i) => 3 + (i % 2)) } : one];
      });
      const contents = new Map(parameters.map(([name, { data }]) => [name, data as Float32Array]));
      const file = quantizeStatic(student.graph, new Map(), { ...options, trained: fake.trained(contents) });
      const levels = [...file.initializers].filter(([, { type }]) => type === 'int8');
      // Of eight bits one is left out, for processors without VNNI.
      const most = 2 ** (Math.min(weightBits, 7) - 1) - 1;
      expect(levels.length).toBeGreaterThan(2);
      for (const [, { data }] of levels)
        expect(Math.max(...Array.from(data as Int8Array, Math.abs))).toBeLessThanOrEqual(most);
      const scales = [...file.initializers].filter(([{ name }]) => /weight_scale$/.test(name));
      expect(scales.every(([, { dims }]) => dims.length === (weightScales === 'tensor' ? 0 : 1))).toBe(true);
      const forward = compileForward(fake.student, { batch: 2 }, ['logits']);
      const [learnt, answered] = [
        await run(forward, { ...Object.fromEntries(parameters), ...feeds }),
        await run(file, feeds),
      ];
      ((answered.logits as Tensor).data as Float32Array).forEach((value, i) => {
        expect(learnt.logits?.data[i]).toBeCloseTo(value, 4);
      });
    },
  );

  it('has one uint8 level of difference at most in every value between, and mostly none', async () => {
    const student = shipped((STUDENTS['mobilenet-v3'] as () => Student)());
    const feeds = { pixel_values: random('images', [4, 1, 12, 12]) };
    const ranges = await calibrated(student.graph, feeds);
    const fake = fakeQuantize(student, { ranges, steps: STEPS[0] as FakeQuantizeOptions['steps'] });
    const trained = fake.trained(new Map());
    const small = quantizeStatic(student.graph, new Map(), { trained });
    // The first block alone: what comes later sees the differences of what came before.
    const [name] = [...trained.activations.keys()].filter((one) => one.includes('stage_1/block_1/expand'));
    const watched = name ?? ([...trained.activations.keys()][2] as string);
    const valueIn = (graph: Graph) =>
      graph.nodes
        .flatMap(({ outputs }) => outputs)
        .find((value) => value?.name === watched) as Graph['outputs'][0];
    const [here, there] = [
      await trainingAnswers(
        { ...fake.student, graph: { ...fake.student.graph, outputs: [valueIn(fake.student.graph)] } },
        feeds,
      ),
      await run({ ...small, outputs: [valueIn(small)] }, feeds),
    ];
    const { scale } = trained.activations.get(watched) as { scale: number };
    const levels = ((here[watched] as Tensor).data as Float32Array).map(
      (value, i) => Math.abs(value - ((there[watched] as Tensor).data[i] as number)) / scale,
    );
    expect(Math.max(...levels)).toBeLessThan(1.001);
    expect(levels.filter((level) => level > 0.5).length).toBeLessThan(0.01 * levels.length);
  });
});

describe('gradients of fake quantisation', () => {
  const [rows, inner, width] = [6, 4, 3];
  const x = random('x', [rows, inner], 2);
  const content = random('w', [inner, width]);
  const factors = random('k', [rows, width]);
  /** y = x W. */
  const linear = (weights: Tensor): Student => {
    const g = new GraphBuilder();
    g.output(g.matMul(g.input('x', 'float32', [rows, inner]), g.initializer('w', weights)), 'y');
    return { graph: g.build(), parameters: ['w'] };
  };
  /** What lies outside of [-1, 1.5] is clipped. */
  const ranges = new Map([['x', [-1, 1.5] as const]]);

  /** d sum(k y) / d each of the names, beside the fake-quantised operands. */
  async function differentiated(steps: FakeQuantizeOptions['steps'], ...names: string[]) {
    const { student, trained } = fakeQuantize(linear(content), { ranges, steps });
    const g = new GraphBuilder();
    const bound = new Map(
      [...trainedTensors(student)].map(([name, { dims }]) => [name, g.input(name, 'float32', dims)] as const),
    );
    bound.set('x', g.input('x', 'float32', [rows, inner]));
    const initializers = new Map([...student.graph.initializers].filter(([{ name }]) => !bound.has(name)));
    const inputs = [...bound.values()].map(({ name, type, shape }) => ({ name, type, shape }));
    const byName = new Map(inputs.map((value) => [value.name, value]));
    const nodes = student.graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((value) => (value && byName.get(value.name)) ?? value),
    }));
    const values = g.inline({ ...student.graph, initializers, nodes, inputs }, bound, 'student');
    const k = g.input('k', 'float32', [rows, width]);
    const loss = g.reduceSum(g.mul(k, values.get('y') as never), { keepDims: false });
    const found = gradients(
      g,
      loss,
      names.map((name) => bound.get(name) as never),
    );
    names.forEach((name, i) => {
      g.output(found[i] as never, `d/${name}`);
    });
    g.output(loss, 'loss');
    const feeds = { ...Object.fromEntries(trainedTensors(student)), x, k: factors };
    return { results: await run(g.build(), feeds), trained: trained(new Map()) };
  }

  const levelOf = (value: number, scale: number, zero: number, low: number, high: number) => {
    const place = value / scale;
    const nearest = Math.round(place);
    return {
      place,
      isWithin: place >= low - zero && place <= high - zero,
      level: Math.min(high - zero, Math.max(low - zero, nearest)),
    };
  };
  const product = (
    a: ArrayLike<number>,
    b: ArrayLike<number>,
    [m, n, p]: readonly [number, number, number],
  ) =>
    Array.from({ length: m * p }, (_, i) => {
      const [row, column] = [Math.floor(i / p), i % p];
      return Array.from(
        { length: n },
        (_, j) => (a[row * n + j] as number) * (b[j * p + column] as number),
      ).reduce((s, v) => s + v, 0);
    });
  const transposed = (a: ArrayLike<number>, m: number, n: number) =>
    Array.from({ length: m * n }, (_, i) => a[(i % m) * n + Math.floor(i / m)] as number);

  it('are those of a clipped product without rounding: finite differences of that surrogate', async () => {
    const { results, trained } = await differentiated(STEPS[0] as FakeQuantizeOptions['steps'], 'x', 'w');
    const { scale, zeroPoint } = trained.activations.get('x') as { scale: number; zeroPoint: number };
    const [low, high] = [-zeroPoint * scale, (255 - zeroPoint) * scale];
    const scales = Array.from(
      { length: width },
      (_, c) =>
        Math.max(
          ...Array.from({ length: inner }, (_, r) => Math.abs(content.data[r * width + c] as number)),
        ) / 63,
    );
    const round = (value: number, step: number) => Math.round(value / step) * step;
    const roundedW = Array.from(content.data as Float32Array, (v, i) =>
      round(v, scales[i % width] as number),
    );
    const clip = (value: number) => Math.min(high, Math.max(low, value));
    const roundedX = Array.from(x.data as Float32Array, (v) => clip(round(v, scale)));
    const lossAt = (xs: readonly number[], ws: readonly number[]) =>
      product(xs, ws, [rows, inner, width]).reduce((s, v, i) => s + v * (factors.data[i] as number), 0);
    const step = 1e-4;
    const difference = (change: (by: number) => number) => (change(step) - change(-step)) / (2 * step);
    // Each operand moves without being rounded, the other one stays rounded: that is what straight-through means.
    const xs = Array.from(x.data as Float32Array);
    const dx = xs.map((_, i) =>
      difference((by) =>
        lossAt(
          xs.map((v, j) => clip(j === i ? v + by : v)),
          roundedW,
        ),
      ),
    );
    const ws = Array.from(content.data as Float32Array);
    const dw = ws.map((_, i) =>
      difference((by) =>
        lossAt(
          roundedX,
          ws.map((v, j) => (j === i ? v + by : v)),
        ),
      ),
    );
    const close = (found: Tensor | undefined, expected: readonly number[]) =>
      ((found as Tensor).data as Float32Array).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i] as number, 4);
      });
    close(results['d/x'], dx);
    close(results['d/w'], dw);
    expect(dx.filter((value) => value === 0).length).toBeGreaterThan(0);
  });

  it('of learnt steps are those of the paper, derived a second time by hand', async () => {
    const { results, trained } = await differentiated(
      { kind: 'learnt' },
      'quantisation/x/change',
      'quantisation/w/change',
    );
    const { scale, zeroPoint } = trained.activations.get('x') as { scale: number; zeroPoint: number };
    const scales = trained.weights.get('w') as Float32Array;
    const ofX = Array.from(x.data as Float32Array, (v) => levelOf(v, scale, zeroPoint, 0, 255));
    const ofW = Array.from(content.data as Float32Array, (v, i) =>
      levelOf(v, scales[i % width] as number, 0, -63, 63),
    );
    const fakeX = ofX.map(({ level }) => level * scale);
    const fakeW = ofW.map(({ level }, i) => level * (scales[i % width] as number));
    const gradX = product(factors.data as Float32Array, transposed(fakeW, inner, width), [
      rows,
      width,
      inner,
    ]);
    const gradW = product(transposed(fakeX, rows, inner), factors.data as Float32Array, [inner, rows, width]);
    // Equation 3: level - place within the range, the level beyond it; times the step, for it is a factor that is learnt.
    const slope = ({ level, place, isWithin }: (typeof ofX)[number]) => (isWithin ? level - place : level);
    const expectedX =
      ofX.reduce((s, one, i) => s + slope(one) * (gradX[i] as number), 0) *
      scale *
      (1 / Math.sqrt(inner * 255));
    expect(results['d/quantisation/x/change']?.data[0]).toBeCloseTo(expectedX, 4);
    const expectedW = Array.from(
      scales,
      (step, c) =>
        ofW.reduce((s, one, i) => s + (i % width === c ? slope(one) * (gradW[i] as number) : 0), 0) *
        step *
        (1 / Math.sqrt(inner * 63)),
    );
    ((results['d/quantisation/w/change'] as Tensor).data as Float32Array).forEach((value, c) => {
      expect(value).toBeCloseTo(expectedW[c] as number, 4);
    });
  });
});

describe('observers', () => {
  it('follow the batches until they freeze', async () => {
    const g = new GraphBuilder();
    g.output(g.matMul(g.input('x', 'float32', ['batch', 4]), g.initializer('w', random('w', [4, 3]))), 'y');
    const { student } = fakeQuantize(
      { graph: g.build(), parameters: ['w'] },
      {
        ranges: new Map([['x', [-1, 1] as const]]),
        steps: { kind: 'observed', momentum: 0.75, freezeAfter: 2 },
      },
    );
    const next = (student.statistics ?? []).map((one) => one.next);
    const outputs = student.graph.nodes
      .flatMap((node) => node.outputs)
      .filter((value) => next.includes(value?.name ?? ''));
    const isObserved = ({ name }: { name: string }) =>
      student.statistics?.some(({ value }) => value === name);
    const [observed, others] = [
      [...student.graph.initializers.keys()].filter(isObserved),
      [...student.graph.initializers].filter(([value]) => !isObserved(value)),
    ];
    const session = await engine.load(
      writeModel({
        ...student.graph,
        inputs: [...student.graph.inputs, ...observed],
        outputs: outputs as Graph['outputs'],
        initializers: new Map(others),
      }),
    );
    let [low, high, steps] = [-1, 1, 0];
    for (const most of [3, 5, 9, 2]) {
      const results = await session.run({
        x: float32([-2, 0, 0, most], [1, 4]),
        'quantisation/x/low': float32([low], []),
        'quantisation/x/high': float32([high], []),
        'quantisation/steps': float32([steps], []),
      });
      const read = (name: string) => results[`quantisation/${name}/next`]?.data[0] as number;
      const isOpen = steps < 2;
      expect(read('x/high')).toBeCloseTo(isOpen ? 0.75 * high + 0.25 * most : high, 6);
      [low, high, steps] = [read('x/low'), read('x/high'), read('steps')];
    }
    expect([low, high, steps]).toEqual([-1.4375, 2.375, 4]);
    await session.release();
  });

  it('that saw one number, or none, are refused with the name of their layer', () => {
    const g = new GraphBuilder();
    g.output(
      g.matMul(g.input('x', 'float32', ['batch', 4]), g.initializer('hidden/weight', random('w', [4, 3]))),
      'y',
    );
    const student = { graph: g.build(), parameters: ['hidden/weight'] };
    const refused = (range: readonly [number, number]) => {
      try {
        fakeQuantize(student, { ranges: new Map([['x', range]]), steps: { kind: 'learnt' } });
      } catch (error) {
        return error instanceof LimbeckError ? `${error.code} ${error.where}` : error;
      }
      return undefined;
    };
    expect(refused([0, 0])).toBe("export.calibration layer 'hidden/weight', value 'x'");
    expect(refused([Number.NaN, 1])).toBe("export.calibration layer 'hidden/weight', value 'x'");
    expect(refused([0, 1])).toBeUndefined();
  });
});
