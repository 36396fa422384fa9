import { prepareForGradients } from '../../autodiff/prepare.ts';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { type DeclaredTaps, withDeclaredTaps } from '../../onnx/anatomy/declared-taps.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph } from '../../onnx/graph.ts';
import { namePattern } from '../../onnx/name-pattern.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';

/** What the losses may look into. */
export interface DescribedPair {
  readonly student: ModelAnatomy;
  readonly teacher: ModelAnatomy;
}

/**
 * What student and teacher are made of: as it is found, or as the recipe's `knowledge.taps` say. The teacher's names are
 * those of its graph with fused operators taken apart, which is what taps are made of.
 *
 * @throws LimbeckError `recipe.tap` as `withDeclaredTaps`
 */
export function describePair(
  { taps }: Pick<Recipe['knowledge'], 'taps'>,
  student: Graph,
  teacher: Graph,
): DescribedPair {
  const describe = (graph: Graph, who: 'student' | 'teacher') =>
    withDeclaredTaps(graph, describeModel(graph), taps?.[who] ?? {}, `knowledge.taps.${who}`);
  return {
    student: describe(toEvaluationForm(student), 'student'),
    teacher: describe(prepareForGradients(teacher), 'teacher'),
  };
}

/**
 * The towers of student and teacher that lead to each side of a pair, by the side's name (`text_embeds`, `image_embeds`); a
 * side without a tower in either is left out. A name or a pattern in `knowledge.taps` is about the towers that have such values;
 * where none of a kind is meant in a tower, its layers are those that are found.
 *
 * @throws LimbeckError `recipe.tap` for a name that neither tower has
 * @param output the output in which both sides' vectors lie beside each other
 */
export function describeTowers(
  student: Graph,
  teacher: Graph,
  output: string,
  taps: Recipe['knowledge']['taps'] = {},
): ReadonlyMap<string, DescribedPair> {
  const [own, other] = [toEvaluationForm(student), prepareForGradients(teacher)];
  requireTaps(own, 'student');
  requireTaps(other, 'teacher');
  return new Map(
    [TEXT_EMBEDS, IMAGE_EMBEDS].flatMap((side, half) => {
      const towers = [own, other].map((graph) => towerOf(graph, side, output, half));
      const [first, second] = towers;
      return first && second
        ? [[side, { student: describe(first, 'student'), teacher: describe(second, 'teacher') }] as const]
        : [];
    }),
  );

  /** Each by itself: a tower of texts has another number of layers than one of images. */
  function requireTaps(graph: Graph, who: 'student' | 'teacher'): void {
    for (const [kind, patterns] of Object.entries(taps[who] ?? {}) as [string, readonly string[]][])
      withDeclaredTaps(graph, describeModel(graph), { [kind]: patterns }, `knowledge.taps.${who}`);
  }

  function describe(tower: Graph, who: 'student' | 'teacher'): ModelAnatomy {
    const meant = tapsWithin(tower, taps[who] ?? {});
    return withDeclaredTaps(tower, describeModel(tower), meant, `knowledge.taps.${who}`);
  }
}

/** The names and patterns that mean a value of a graph. */
function tapsWithin({ nodes }: Graph, taps: DeclaredTaps): DeclaredTaps {
  const names = nodes.flatMap(({ outputs }) => outputs.flatMap((value) => value?.name ?? []));
  return Object.fromEntries(
    Object.entries(taps as Record<string, readonly string[]>).flatMap(([kind, patterns]) => {
      const meant = patterns.filter((pattern) => names.some(namePattern(pattern)));
      return meant.length > 0 ? [[kind, meant]] : [];
    }),
  );
}

/** The part of a graph that makes one side's vector: the value of its name, or that half of what is put beside the other. */
function towerOf(graph: Graph, side: string, output: string, half: number): Graph | undefined {
  const values = graph.nodes.flatMap((node) => node.outputs.map((value) => ({ node, value })));
  const named = values.find(({ value }) => value?.name === side)?.value;
  const both = values.find(({ value }) => value?.name === output)?.node;
  const value = named ?? (both?.opType === 'Concat' ? both.inputs[half] : undefined);
  if (!value) return undefined;
  const tower = removeDeadNodes({ ...graph, outputs: [value] });
  const used = new Set(tower.nodes.flatMap(({ inputs }) => inputs));
  return { ...tower, inputs: tower.inputs.filter((input) => used.has(input)) };
}
