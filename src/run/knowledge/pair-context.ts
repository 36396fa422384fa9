import { LimbeckError } from '../../errors.ts';
import type { KnowledgeGraph } from '../../knowledge/graph/knowledge-graph.ts';
import { headWeights, layerMapFromGraph } from '../../knowledge/graph/layer-choice.ts';
import type { ObjectiveContext, PairContext } from '../../objectives/objective.ts';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { type LayerMap, lastLayers } from '../../onnx/anatomy/layer-map.ts';
import { matchingLayers } from '../../onnx/anatomy/matching-layers.ts';
import type { Graph } from '../../onnx/graph.ts';
import { TEXT_EMBEDS } from '../../targets/pair-embeds.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { describePair, describeTowers } from '../heads/describe-pair.ts';
import { outputContext } from '../heads/label-terms.ts';
import { readTeacherGraph } from '../heads/teacher-graph.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';

/**
 * What the losses of a run may look into: student, teacher, and which layer teaches which.
 *
 * @param graph the teacher's knowledge graph, where the recipe wants it
 */
export function objectiveContext(
  run: RunContext,
  data: TaskData,
  teacher: Pick<TrainedTeacher, 'file' | 'hosted'>,
  graph: KnowledgeGraph | undefined,
): ObjectiveContext {
  // Nothing is known of a hosted teacher but its answers; losses that want more are refused with the recipe.
  if (teacher.hosted) return outputContext(data);
  const [own, other] = [data.buildStudent().graph, readTeacherGraph(teacher.file, data)];
  const { knowledge } = run.recipe;
  const wanted = wantedLayers(run.recipe);
  const towers = pairTowers(data, run.recipe, own, other);
  // What a recipe names of pairs is of their towers.
  const { student, teacher: anatomy } = describePair(towers ? {} : knowledge, own, other);
  const layers =
    wanted === 'graph' && graph
      ? layerMapFromGraph(graph, student.layers.length)
      : layerMap(wanted, student, anatomy);
  const heads = graph && headWeights(graph);
  return {
    ...outputContext(data),
    models: {
      student,
      teacher: anatomy,
      layers,
      ...(heads && { headWeights: heads }),
      ...(towers && { towers }),
    },
    // Read when a loss asks for it: teachers are large.
    get teacherGraph() {
      return readTeacherGraph(teacher.file, data);
    },
  };
}

/** Of pairs, both towers as losses may look into them. */
export function pairTowers(
  { heads }: Pick<TaskData, 'heads'>,
  { knowledge, student: chosen }: Pick<RunContext['recipe'], 'knowledge' | 'student'>,
  student: Graph,
  teacher: Graph,
): PairContext['towers'] {
  const pair = heads.find(({ target }) => target.kind === 'pairs');
  if (!pair) return undefined;
  const { taps } = knowledge;
  const layers = Array.isArray(knowledge.layers) ? 'uniform' : knowledge.layers;
  return new Map(
    [...describeTowers(student, teacher, pair.output, taps)].map(([side, both]) => {
      const tower = chosen.kind === 'cut' ? (side === TEXT_EMBEDS ? chosen.text : chosen.image) : undefined;
      return [side, { ...both, layers: layerMap(keptOr(tower, layers), both.student, both.teacher) }];
    }),
  );
}

/** Which layers teach which: of a student that is cut out of its teacher those that it has, where the recipe says nothing else. */
export function wantedLayers({
  knowledge: { layers },
  student,
}: Pick<RunContext['recipe'], 'knowledge' | 'student'>): RunContext['recipe']['knowledge']['layers'] {
  return keptOr(student.kind === 'cut' ? student : undefined, layers);
}

/** The map of layers that are named to those that they were, where it would be uniform. */
function keptOr(
  cut: { readonly layers?: number | number[] | undefined } | undefined,
  layers: RunContext['recipe']['knowledge']['layers'],
): RunContext['recipe']['knowledge']['layers'] {
  if (layers !== 'uniform' || !Array.isArray(cut?.layers)) return layers;
  return cut.layers.map((from, layer): [number, number] => [layer, from]);
}

/**
 * The layer map that a recipe asks for. `graph` is the uniform one where there is no knowledge graph.
 *
 * @throws LimbeckError `recipe.invalid` for a layer that is not there
 */
export function layerMap(
  wanted: RunContext['recipe']['knowledge']['layers'],
  student: ModelAnatomy,
  teacher: ModelAnatomy,
): PairContext['layers'] {
  const [own, other] = [student.layers.length, teacher.layers.length];
  if (own === 0 || other === 0) return [];
  if (wanted === 'last') return lastLayers(own, other);
  if (wanted === 'uniform' || wanted === 'graph') return matchingLayers(student, teacher);
  return wanted.map(([from, to], index): LayerMap[number] => {
    const wrong = from >= own ? { who: 'student', layer: from, anatomy: student } : undefined;
    const missing = wrong ?? (to >= other ? { who: 'teacher', layer: to, anatomy: teacher } : undefined);
    if (!missing) return { student: from, teacher: to, weight: 1 };
    const { who, layer, anatomy } = missing;
    const names = anatomy.layers.map(({ name }, i) => `${i} ${name}`).join(', ');
    throw new LimbeckError('recipe.invalid', `the ${who} has no layer ${layer}`, {
      where: `knowledge.layers[${index}]; its layers are ${names}`,
      remedy: 'Name layers that are there, counted from 0.',
    });
  });
}
