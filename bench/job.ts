/**
 * Times the usual job, whole, against PyTorch on this machine: a ResNet of 1.1M parameters labels Fashion-MNIST, and one of
 * 20,000 learns from its answers.
 *
 *     npm run bench:job -- [--images 55000] [--epochs 4] [--rounds 1] [--teacher-epochs 1] [--threads N]
 *
 * PyTorch trains the teacher, once and untimed; both sides have its weights. In every round ours takes its turn (from the
 * files of the data to the trained student: reading, int8 form and its comparison, labelling, training with an evaluation an
 * epoch), then PyTorch with the teacher's answers kept, then with a teacher that is asked in every step. The same optimizer,
 * schedule, batches of 128 and epochs; every student is measured on the 10,000 test images. PyTorch is found through
 * LIMBECK_BENCH_PYTHON or python3.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptArguments } from '../scripts/script-arguments.ts';
import { accuracyOf, distill, parseRecipe, type RunResult } from '../src/index.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { foldBatchNorm } from '../src/onnx/passes/fold-batch-norm.ts';
import { removeDeadNodes } from '../src/onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { randomStream } from '../src/random.ts';
import { decodeSafetensors } from '../src/train/safetensors.ts';
import { withParameters } from '../src/train/step-graph.ts';
import { BENCH_MODELS, type BenchModel } from './models.ts';
import { type PyTorchProcess, pyTorchProcess, pythonWithPyTorch } from './peers/pytorch.ts';
import { median } from './statistics.ts';

const DATA = '/usr/share/datasets/fashion-mnist';
const TEST_IMAGES = 10_000;
const VALIDATION = 5000;

const { values } = scriptArguments(import.meta.url, {
  options: {
    images: { type: 'string', default: '55000' },
    epochs: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '1' },
    'teacher-epochs': { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [images, epochs, rounds] = [values.images, values.epochs, values.rounds].map(Number) as [
  number,
  number,
  number,
];

/** What a side took, and how its student answers the test images. */
interface Job {
  /** On the wall, and of all processors. */
  readonly seconds: number;
  readonly processor: number;
  /** Of these on the wall: until all answers were there. */
  readonly labelling: number;
  readonly accuracy: number;
}

const python = pythonWithPyTorch();
if (!python) {
  console.log('No comparison: PyTorch is not installed (LIMBECK_BENCH_PYTHON, python3).');
} else if (!existsSync(DATA)) {
  console.log(`No comparison: ${DATA} is not there (on Debian: apt-get install dataset-fashion-mnist).`);
} else {
  process.env.LIMBECK_THREADS = values.threads;
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-bench-job-'));
  try {
    await compare(python, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(python: string, folder: string): Promise<void> {
  const script = new URL('peers/job.py', import.meta.url).pathname;
  const peer = await pyTorchProcess(python, script, [DATA, `${images}`, values.threads]);
  const weights = join(folder, 'teacher.safetensors');
  const teacher = await peer.ask({ teacher: weights, epochs: Number(values['teacher-epochs']) });
  const model = join(folder, 'teacher.onnx');
  writeTeacher(weights, model);
  const machine = `${cpus()[0]?.model.trim()}, ${values.threads} threads`;
  console.log(
    `${images} images, ${epochs} epochs; ${machine}; PyTorch ${peer.first.version}; teacher: ${teacher.parameters} parameters, ${percentOf(teacher)}`,
  );
  const sides: Record<string, Job[]> = { ours: [], kept: [], online: [] };
  for (let round = 0; round < rounds; round++) {
    const { teacherAccuracy, ...own } = await ours(model, join(folder, `run-${round}`));
    // Rounding may turn an answer or two.
    if (Math.abs(teacherAccuracy - Number(teacher.right) / Number(teacher.of)) > 0.001)
      throw new Error(`the teacher answers otherwise here: right on ${(100 * teacherAccuracy).toFixed(2)} %`);
    sides.ours?.push(own);
    for (const how of ['kept', 'online'] as const) sides[how]?.push(await theirs(peer, how));
    for (const [name, jobs] of Object.entries(sides)) console.log(`${name}: ${told(jobs.at(-1) as Job)}`);
  }
  await peer.end();
  console.log(`\n${table(sides as Record<'ours' | 'kept' | 'online', Job[]>)}`);
}

/** The teacher's weights in the graph that our own ResNet has. */
function writeTeacher(weights: string, file: string): void {
  const { tensors } = decodeSafetensors(readFileSync(weights), weights);
  const student = (BENCH_MODELS.resnet as BenchModel).build(randomStream(1, 'teacher'));
  const contents = new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
  const lacking = [...student.graph.initializers.keys()].filter(
    ({ name }) => /weight|scale|bias|running/.test(name) && !contents.has(name),
  );
  if (lacking.length > 0)
    throw new Error(`PyTorch's teacher has no ${lacking.map(({ name }) => name).join(', ')}`);
  const { graph } = withParameters(student, contents);
  writeModelFile(file, foldBatchNorm(removeDeadNodes(toEvaluationForm(graph))));
}

async function ours(model: string, out: string): Promise<Job & { readonly teacherAccuracy: number }> {
  const recipe = parseRecipe(
    JSON.stringify({
      name: 'bench-job',
      task: 'image-classification',
      inputs: { image: { modality: 'image', field: 'image', normalization: 'none' } },
      outputs: { logits: { target: 'class', field: 'label' } },
      data: {
        source: { kind: 'fashion-mnist', path: DATA },
        splits: { train: images, validation: Math.min(VALIDATION, 60_000 - images), stratified: false },
      },
      teacher: { kind: 'onnx-image', model, atChance: 'warn' },
      student: { kind: 'resnet', width: 8, blocks: 1 },
      objective: { kd: { weight: 1, temperature: 1 }, labels: { weight: 0 }, featureMse: { weight: 0 } },
      training: {
        epochs,
        batchSize: 128,
        optimizer: { kind: 'adamw', learningRate: 4e-3, weightDecay: 0.02 },
        schedule: { warmup: 0.1, decay: 'cosine' },
        maxGradNorm: 5,
        earlyStopping: false,
      },
      export: { license: 'mit', int8: false },
    }),
  );
  let processor = 0;
  const began = process.cpuUsage();
  const result: RunResult = await distill(recipe, {
    out,
    storeFolder: join(out, 'store'),
    baseline: false,
    allowPaths: [DATA, join(out, '..')],
    timingSeconds: 0.05,
    onEvent(event) {
      if (event.type !== 'stage-end' || event.stage !== 'train') return;
      const { user, system } = process.cpuUsage(began);
      processor = (user + system) / 1e6;
    },
  });
  const { data, teacher, label, train } = result.seconds as Record<string, number>;
  const labelling = (data ?? 0) + (teacher ?? 0) + (label ?? 0);
  return {
    seconds: labelling + (train ?? 0),
    processor,
    labelling,
    accuracy: accuracyOf(result.student),
    teacherAccuracy: result.teacher ? accuracyOf(result.teacher) : Number.NaN,
  };
}

async function theirs(peer: PyTorchProcess, how: 'kept' | 'online'): Promise<Job> {
  const answer = await peer.ask({ distil: how, epochs });
  const [whole, labelling] = [answer.seconds, answer.labelling] as { wall: number; processor: number }[];
  return {
    seconds: whole?.wall ?? Number.NaN,
    processor: whole?.processor ?? Number.NaN,
    labelling: labelling?.wall ?? Number.NaN,
    accuracy: Number(answer.right) / Number(answer.of),
  };
}

function table(sides: Record<'ours' | 'kept' | 'online', Job[]>): string {
  const of = (name: keyof typeof sides, value: keyof Job) => median(sides[name].map((job) => job[value]));
  const ratio = (name: 'kept' | 'online', value: 'seconds' | 'processor') =>
    median(sides.ours.map((job, round) => job[value] / (sides[name][round] as Job)[value]));
  const row = (name: keyof typeof sides, title: string) => {
    const cells = (['seconds', 'processor', 'labelling'] as const).map((value) => of(name, value).toFixed(1));
    const ratios =
      name === 'ours' ? ['', ''] : [ratio(name, 'seconds').toFixed(2), ratio(name, 'processor').toFixed(2)];
    return `| ${[title, ...cells, `${(100 * of(name, 'accuracy')).toFixed(1)} %`, ...ratios].join(' | ')} |`;
  };
  const accuracies = [...sides.kept, ...sides.online].map(({ accuracy }) => accuracy);
  const apart = of('ours', 'accuracy') - median(accuracies);
  // 1.96 standard errors of the difference of two shares of the test images, were their errors independent.
  const p = median(accuracies);
  const noise = 1.96 * Math.sqrt((2 * p * (1 - p)) / TEST_IMAGES);
  return [
    '| | seconds | of all processors | until labelled | accuracy | ours / it | by processor time |',
    '|---|---|---|---|---|---|---|',
    row('ours', 'Limbeck'),
    row('kept', 'PyTorch, answers kept'),
    row('online', 'PyTorch, asked in every step'),
    '',
    `Ours is ${(100 * Math.abs(apart)).toFixed(1)} points ${apart < 0 ? 'below' : 'above'} PyTorch's students: ${Math.abs(apart) <= noise ? 'no more than chance' : 'more than chance, so the times are not of equal accuracy'} (${(100 * noise).toFixed(1)} points).`,
  ].join('\n');
}

function told({ seconds, processor, labelling, accuracy }: Job): string {
  return `${seconds.toFixed(1)} s (${processor.toFixed(1)} s of all processors, ${labelling.toFixed(1)} s until labelled), ${(100 * accuracy).toFixed(1)} %`;
}

function percentOf({ right, of }: Record<string, unknown>): string {
  return `${((100 * Number(right)) / Number(of)).toFixed(1)} % on the test images`;
}
