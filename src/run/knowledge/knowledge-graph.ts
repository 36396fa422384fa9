import type { Batch } from '../../data/batch.ts';
import { columnOf } from '../../data/batch.ts';
import { ATTENTION_MASK, INPUT_IDS, INPUT_VALUES, PIXEL_VALUES, SEQUENCE } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import { Permutation } from '../../data/splits/permutation.ts';
import { attributionQuestions } from '../../knowledge/graph/attribution-requests.ts';
import { AttributionSums } from '../../knowledge/graph/attribution-sums.ts';
import { drawGraph } from '../../knowledge/graph/draw-graph.ts';
import { writeGraphml } from '../../knowledge/graph/graphml.ts';
import { type KnowledgeGraph, knowledgeGraphSchema } from '../../knowledge/graph/knowledge-graph.ts';
import { REGION_NAMES, TIME_NAMES } from '../../knowledge/graph/region-grid.ts';
import { groupedToken } from '../../knowledge/graph/token-text.ts';
import { innerOutput, teacherAnswer } from '../../objectives/inner-output.ts';
import { MAIN_OUTPUT } from '../../objectives/output-names.ts';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { existsSync, rmSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { classesOf, type Head } from '../../targets/head.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import type { RunContext } from '../context/run-context.ts';
import type { StageEnd } from '../context/stage-end.ts';
import type { TaskData } from '../context/task.ts';
import { outputContext } from '../heads/label-terms.ts';
import { readTeacherGraph } from '../heads/teacher-graph.ts';
import { openLabeller } from '../teaching/ask-teacher.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';

/** Samples that go through the teacher at once: each needs the memory of a backward pass. */
const ROWS = 16;

/** When a graph is wanted because the layer map needs it, and nothing is said of it. */
const DEFAULT_SAMPLES = 256;

/** On how many samples a recipe wants the teacher's knowledge graph; undefined where it wants none. */
export function wantedSamples({ layers, graph }: Recipe['knowledge']): number | undefined {
  if (typeof graph === 'object') return graph.samples;
  return graph || layers === 'graph' ? DEFAULT_SAMPLES : undefined;
}

/** The training samples that the teacher is looked into with: positions in each bucket of the split. */
interface GraphSample {
  readonly buckets: readonly (readonly number[])[];
  readonly size: number;
  /** Of their keys. */
  readonly hash: string;
}

/**
 * The teacher's knowledge graph, on a sample of the training split that the recipe's seed draws: from
 * knowledge-graph.json where it is about the same teacher and sample, otherwise computed and written there and to
 * knowledge-graph.graphml. Undefined where the teacher tells too little (with a warning).
 *
 * @param wanted samples
 */
export async function knowledgeGraph(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  { anatomy, wanted }: { readonly anatomy: ModelAnatomy; readonly wanted: number },
): Promise<StageEnd<KnowledgeGraph | undefined>> {
  const { unit } = data.task;
  if (unit !== 'texts' && unit !== 'images' && unit !== 'clips') {
    run.warn(
      `no knowledge graph: it is drawn of texts, images and clips, not of ${unit}; the layer map stays uniform`,
    );
    return { value: undefined, summary: 'none was drawn' };
  }
  if (anatomy.layers.length === 0) {
    run.warn(
      'no knowledge graph: no layer was found in the teacher; the layer map stays uniform (`limbeck inspect` lists what was found)',
    );
    return { value: undefined, summary: 'none was drawn' };
  }
  const split = data.dataset.splits.train;
  const sample = drawSample(split, Math.min(wanted, split.size), run.recipe.seed);
  const about = innerOutput(undefined, outputContext(data));
  const source = {
    teacher: teacherHash(teacher.file),
    sample: sample.hash,
    unit,
    ...(about.output !== MAIN_OUTPUT && { output: about.output }),
  };
  const known = run.folder.problemOf(FILE) === undefined ? readKnowledgeGraph(run.folder.path) : undefined;
  const isKnown =
    known?.teacher === source.teacher && known.sample === source.sample && known.output === source.output;
  if (isKnown) return { value: known, summary: 'it was there already' };
  const questions = attributionQuestions(anatomy, unit, {
    inner: about.inner,
    of: (g, graph) => teacherAnswer(g, graph, about, anatomy.logits),
  });
  const head = data.heads[0] as Head;
  const classes = about.inner.classScores ? classesOf(head) : [head.target.title];
  const labels = classes.length > 0 ? classes : data.dataset.labels;
  const sums = new AttributionSums(anatomy, labels.length);
  const file = run.folder.file('teacher', 'attributions.onnx');
  writeModelFile(file, tapTeacher(readTeacherGraph(teacher.file, data), questions.requests).graph);
  const namesOf = placeNames(data);
  let done = 0;
  const labeller = await openLabeller(run, data.task, file, `${teacher.title}, inside`);
  try {
    for (const [bucket, indices] of sample.buckets.entries()) {
      for (let from = 0; from < indices.length; from += ROWS) {
        run.checkInterrupted();
        const batch = split.readBatch(bucket, indices.slice(from, from + ROWS), ROWS);
        const answers = await labeller.label(
          batch,
          questions.requests.map(({ tap }) => tap),
        );
        sums.add(questions.read(answers), (row) => namesOf(batch, row));
        done += batch.filled;
        const task = 'drawing the knowledge graph';
        run.emit({ type: 'progress', stage: 'label', task, done, total: sample.size, unit });
      }
    }
  } finally {
    await labeller.close();
  }
  rmSync(file, { force: true });
  const graph = drawGraph(sums, { teacher: anatomy, labels, source });
  writeKnowledgeGraph(run.folder.path, graph);
  run.folder.keep(FILE);
  const summary = `${graph.nodes.length} nodes and ${graph.edges.length} edges from ${graph.samples} ${data.task.unit}`;
  return { value: graph, summary };
}

const FILE = 'knowledge-graph.json';

/** The graph that a run's folder holds; undefined where there is none that this version reads. */
export function readKnowledgeGraph(folder: string): KnowledgeGraph | undefined {
  const file = `${folder}/${FILE}`;
  if (!existsSync(file) || !existsSync(`${folder}/knowledge-graph.graphml`)) return undefined;
  try {
    return knowledgeGraphSchema.parse(JSON.parse(readRegularText(file)));
  } catch {
    // Cut short or of another version: it is drawn again.
    return undefined;
  }
}

function writeKnowledgeGraph(folder: string, graph: KnowledgeGraph): void {
  replaceFile(`${folder}/knowledge-graph.graphml`, writeGraphml(graph), 'run');
  replaceFile(`${folder}/${FILE}`, `${JSON.stringify(graph)}\n`, 'run');
}

function drawSample(split: Split, size: number, seed: number): GraphSample {
  const order = new Permutation(split.size, seed, 'knowledge-graph');
  const ordinals = Array.from({ length: size }, (_, index) => order.at(index)).sort((a, b) => a - b);
  const hash = createSha256();
  let start = 0;
  const buckets = split.buckets.map((bucket, index) => {
    const inside = ordinals
      .filter((ordinal) => ordinal >= start && ordinal < start + bucket.size)
      .map((ordinal) => ordinal - start);
    for (let from = 0; from < inside.length; from += ROWS)
      hash.update(split.readBatch(index, inside.slice(from, from + ROWS), ROWS).keys);
    start += bucket.size;
    return inside;
  });
  return { buckets, size, hash: hash.digest('hex') };
}

/** What stands at each place of a batch's row: the tokens of a text, grouped; the regions of an image; parts of a clip. */
function placeNames({ task }: TaskData): (batch: Batch, row: number) => readonly (string | undefined)[] {
  const token = (id: number) => task.token?.(id) ?? (task.teacher as TextTeacherSource).tokenizer.token(id);
  const known = new Map<number, string>();
  const nameOf = (id: number) => {
    let name = known.get(id);
    if (name === undefined) {
      name = groupedToken(token(id));
      known.set(id, name);
    }
    return name;
  };
  return (batch, row) => {
    if (batch.columns[PIXEL_VALUES]) return REGION_NAMES;
    if (batch.columns[INPUT_VALUES]) return TIME_NAMES;
    const length = batch.sizes[SEQUENCE] as number;
    const [ids, mask] = [INPUT_IDS, ATTENTION_MASK].map((name) => columnOf(batch, name).data) as [
      BigInt64Array,
      BigInt64Array,
    ];
    return Array.from({ length }, (_, place) => {
      const at = row * length + place;
      return mask[at] ? nameOf(Number(ids[at])) : undefined;
    });
  };
}
