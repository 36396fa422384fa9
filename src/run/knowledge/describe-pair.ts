import { prepareForGradients } from '../../autodiff/prepare.ts';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { withDeclaredTaps } from '../../onnx/anatomy/declared-taps.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph } from '../../onnx/graph.ts';
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
 * side without a tower in either is left out. Layers that `knowledge.taps` names are of whole models: of towers they are found.
 *
 * @param output the output in which both sides' vectors lie beside each other
 */
export function describeTowers(
  student: Graph,
  teacher: Graph,
  output: string,
): ReadonlyMap<string, DescribedPair> {
  const [own, other] = [toEvaluationForm(student), prepareForGradients(teacher)];
  return new Map(
    [TEXT_EMBEDS, IMAGE_EMBEDS].flatMap((side, half) => {
      const towers = [own, other].map((graph) => towerOf(graph, side, output, half));
      const [first, second] = towers;
      return first && second
        ? [[side, { student: describeModel(first), teacher: describeModel(second) }] as const]
        : [];
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
