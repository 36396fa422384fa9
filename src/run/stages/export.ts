import { keptQuantization } from '../../compress/kept-quantization.ts';
import { MODEL_FILE, QUANTIZED_FILE } from '../../export/package-folder.ts';
import { fileOf } from '../../export/precisions.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { existsSync, mkdirSync, rmSync } from '../../platform/files.ts';
import {
  FOUR_BIT_AFTERWARDS,
  QUANTIZED_AFTERWARDS,
  TO_THE_END,
  UNCOMPRESSED,
} from '../../report/compression.ts';
import { LABELS_ALONE } from '../../report/result.ts';
import type { Head } from '../../targets/head.ts';
import { compressedStudent } from '../compressing/compress-student.ts';
import { artifact, optional } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { StageEnd } from '../context/stage-end.ts';
import type { TaskData } from '../context/task.ts';
import { EXITS_FOLDER, readyExits } from '../exits/ready-exits.ts';
import { tuneHeads } from '../heads/tune-heads.ts';
import { planExport } from '../planning/student-stages.ts';
import { furtherStudents, int8Student } from '../shipping/quantized-student.ts';
import { quantizerOf } from '../shipping/quantizer.ts';
import { REJECTED } from '../shipping/rejected-files.ts';
import { shipStudent } from '../shipping/ship-student.ts';
import type { ComparedModel, Shipped } from '../shipping/shipped.ts';
import { shippedForm } from '../shipping/shipped-form.ts';
import { studentInt8 } from '../shipping/student-int8.ts';
import type { TrainedPeer } from '../training/trained-peer.ts';
import type { TrainedStudent } from '../training/trained-student.ts';
import { BASELINE } from './baseline.ts';
import { DATA } from './data.ts';
import { PEERS } from './peer.ts';
import { stage } from './stage.ts';
import { finishedStudent, STUDENT } from './train.ts';

export interface ExportInputs {
  readonly data: TaskData;
  readonly student: TrainedStudent;
  readonly baseline: TrainedStudent | null;
  /** Other models to compare with. */
  readonly peers?: readonly TrainedPeer[];
}

export const SHIPPED = artifact<Shipped>('shipped');

/** Writes the student's folder, in float32 and int8, and what the student is compared with. */
export const exportStage = stage({
  name: 'export',
  about: 'write and quantise the files',
  needs: { data: DATA, student: STUDENT, baseline: optional(BASELINE), peers: optional(PEERS) },
  makes: SHIPPED,
  title: () => 'Export the student',
  run: (run, { data, student, baseline, peers }) =>
    exportFiles(run, { data, student, baseline: baseline ?? null, peers: peers?.compared }),
  plan: planExport,
});

/** Writes the student of a finished training anew, from its checkpoint: what `limbeck export` does. */
export const exportAgainStage = stage({
  name: 'export',
  about: 'write and quantise the files',
  needs: { data: DATA },
  makes: SHIPPED,
  title: () => 'Export the student',
  run: (run, { data }) =>
    exportFiles(run, {
      data,
      student: compressedStudent(run, finishedStudent(run, data)),
      baseline: null,
    }),
  plan: planExport,
});

/** Writes a student's folder, and the models that it is compared with each in a file of its own. */
export async function exportFiles(run: RunContext, inputs: ExportInputs): Promise<StageEnd<Shipped>> {
  const { recipe, folder } = run;
  const { data, student, baseline, peers = [] } = inputs;
  const model = shippedForm(student);
  const int8 = await int8Student(run, data, model);
  const further = await furtherStudents(run, data, model);
  const studentFolder = folder.file('student');
  const heads = await tunedHeads(run, model, data);
  const networks = {
    model,
    quantized: int8?.graph ?? null,
    further: Object.fromEntries(further.map(({ precision, graph }) => [precision, graph])),
  };
  const exits = await readyExits(run, data, networks);
  const forms = exits ?? networks;
  const check = await shipStudent(run, data, studentFolder, {
    model: forms.model,
    quantized: forms.quantized,
    further: forms.further,
    addition: exits?.addition,
    heads,
  });
  // What an earlier part of the run held back is decided anew.
  rmSync(folder.file(REJECTED), { recursive: true, force: true });
  const baselines: ComparedModel[] = [];
  if (baseline) {
    const file = folder.file('baseline', 'model.onnx');
    mkdirSync(folder.file('baseline'), { recursive: true });
    writeModelFile(file, shippedForm(baseline));
    baselines.push({ ...LABELS_ALONE, file });
  }
  // Trainings without a teacher are compared with nothing.
  const trained = keptQuantization(model);
  const isTrainedInt8 = recipe.export.int8 && trained !== undefined && !trained.fourBit;
  const isTrainedQ4 = trained?.fourBit !== undefined && further.some(({ precision }) => precision === 'q4');
  if (student.uncompressed && (recipe.teacher || isTrainedInt8 || isTrainedQ4)) {
    const taughtBy = recipe.teacher ? 'teacher' : 'labels';
    const file = folder.file('uncompressed', 'model.onnx');
    mkdirSync(folder.file('uncompressed'), { recursive: true });
    writeModelFile(file, shippedForm({ student: student.uncompressed }));
    baselines.push({ ...UNCOMPRESSED, taughtBy, file });
    if (isTrainedInt8) {
      const quantized = folder.file('uncompressed', 'model_quantized.onnx');
      writeModelFile(quantized, await quantizedAfterwards(run, data, student.uncompressed));
      baselines.push({ ...QUANTIZED_AFTERWARDS, taughtBy, file: quantized });
    }
    if (isTrainedQ4) {
      const file = folder.file('uncompressed', 'model_q4.onnx');
      const quantize = await quantizerOf(run, data, shippedForm({ student: student.uncompressed }), 'q4');
      writeModelFile(file, quantize());
      baselines.push({ ...FOUR_BIT_AFTERWARDS, taughtBy, file });
    }
  }
  if (exits) {
    const taughtBy = recipe.teacher ? 'teacher' : 'labels';
    baselines.push({ ...TO_THE_END, taughtBy, file: exits.shipped.last });
  }
  for (const { name, title, taughtBy, student } of peers) {
    const file = folder.file('peer', `${name}.onnx`);
    mkdirSync(folder.file('peer'), { recursive: true });
    writeModelFile(file, shippedForm({ student }));
    baselines.push({ name, title, taughtBy, file });
  }
  for (const part of ['student', 'baseline', 'uncompressed', 'peer', EXITS_FOLDER])
    if (existsSync(folder.file(part))) folder.keepFolder(part);
  const value: Shipped = {
    student: folder.file('student', MODEL_FILE),
    studentInt8: int8 ? folder.file('student', QUANTIZED_FILE) : null,
    baselines,
    float32Layers: int8?.excluded ?? [],
    fourBitLayers: int8?.fourBit ?? [],
    layers: int8?.layers ?? [],
    ...(int8?.biasCorrection && { biasCorrection: int8.biasCorrection }),
    further: further.map(({ precision, maxDrop, excluded, layers }) => ({
      precision,
      file: folder.file('student', fileOf(precision)),
      maxDrop,
      float32Layers: excluded,
      layers,
    })),
    check,
    ...(exits && { exits: exits.shipped }),
    ...(student.compression && { compression: student.compression }),
  };
  const kept = (layers: readonly string[], fourBit: readonly string[] = []) => {
    const told = [
      ...(layers.length > 0 ? [`${layers.join(' and ')} in float32`] : []),
      ...(fourBit.length > 0 ? [`${fourBit.join(' and ')} in 4 bits`] : []),
    ];
    return told.length > 0 ? ` (${told.join(', ')})` : '';
  };
  const files = [
    'f32',
    ...(int8 ? [`int8${kept(int8.excluded, int8.fourBit)}`] : []),
    ...further.map(({ precision, excluded }) => `${precision}${kept(excluded)}`),
  ].join(', ');
  return {
    value,
    summary: `${studentFolder}: ${files}${check.samples > 0 ? `; read by ${check.reader} with the measured answers` : ''}`,
  };
}

/** A student that was trained without the roundings of int8, in the int8 form that the recipe asks for. */
async function quantizedAfterwards(
  run: RunContext,
  data: TaskData,
  student: TrainedStudent['student'],
): Promise<Graph> {
  const { quantize } = await studentInt8(run, data, shippedForm({ student }));
  return quantize();
}

/** The student's outputs, read with what is chosen on its answers to the validation split. */
async function tunedHeads(run: RunContext, model: Graph, data: TaskData): Promise<readonly Head[]> {
  if (data.heads.every(({ target }) => target.tune === undefined)) return data.heads;
  const session = await run.engine.load(writeModel(model));
  try {
    return await tuneHeads(run, session, data.heads, data.dataset.splits.validation);
  } finally {
    await session.release();
  }
}
