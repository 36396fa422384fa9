import { LimbeckError } from '../errors.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { ATTENTION_MASK, INPUT_IDS, POSITION_IDS, TOKEN_TYPE_IDS } from './teacher-source.ts';

/** What a text model may be given. */
export const TEXT_ROLES = [INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS, POSITION_IDS] as const;
export type TextRole = (typeof TEXT_ROLES)[number];

/** Which input has which role, where a person says so. */
export type NamedInputs = Readonly<Partial<Record<TextRole, string>>>;

/** Names that exporters choose, without what TensorFlow adds (`:0`); a padding mask may mean the opposite, so it is not here. */
const USUAL: Readonly<Record<TextRole, RegExp>> = {
  input_ids:
    /^(serving_default_)?(input_?ids?|ids|tokens?|token_?ids?|input_?tokens?|input_?word_?ids|word_?ids)$/i,
  attention_mask: /^(serving_default_)?(attention_?mask|input_?mask|mask|attn_?mask|attention)$/i,
  token_type_ids:
    /^(serving_default_)?(token_?type_?ids?|segment_?ids?|segments?|type_?ids?|input_?type_?ids?)$/i,
  position_ids: /^(serving_default_)?(position_?ids?|positions?|pos_?ids?)$/i,
};

/**
 * Which input of a text model is what: told by the person, or by its name.
 *
 * @throws LimbeckError `teacher.inputs` (with the inputs that it has) for an input that cannot be told, for two of one
 *   kind, and where ids or mask are missing
 */
export function textInputs(graph: Graph, where: string, named: NamedInputs = {}): Map<Value, TextRole> {
  const has = `${where}: its inputs are ${graph.inputs.map(describeValue).join('; ')}`;
  const refuse = (problem: string, remedy: string) =>
    new LimbeckError('teacher.inputs', problem, { where: has, remedy });
  for (const [role, name] of Object.entries(named)) {
    if (!graph.inputs.some((input) => input.name === name))
      throw refuse(`the model has no input '${name}'`, `Correct teacher.inputs.${role}.`);
  }
  const roles = new Map<Value, TextRole>();
  for (const input of graph.inputs) {
    const role = roleOf(input, named);
    if (role) {
      const other = [...roles].find(([, taken]) => taken === role)?.[0];
      if (other)
        throw refuse(
          `the inputs '${other.name}' and '${input.name}' could both be the ${role}`,
          `Name the right one: teacher.inputs.${role}.`,
        );
      roles.set(input, role);
    }
  }
  const exported = `Export it with ${INPUT_IDS} and ${ATTENTION_MASK} (int64 [batch, sequence]), or say which of its inputs they are (teacher.inputs).`;
  for (const needed of [INPUT_IDS, ATTENTION_MASK] as const) {
    if (![...roles.values()].includes(needed)) throw refuse(`the model has no input '${needed}'`, exported);
  }
  for (const input of graph.inputs) {
    if (!roles.has(input)) throw refuse(`nothing can be given to the input '${input.name}'`, exported);
    const fixed = input.shape?.find((dim) => typeof dim === 'number');
    if (fixed !== undefined || input.shape?.length !== 2) {
      throw refuse(
        `the input '${input.name}' has the shape [${input.shape?.join(', ') ?? '?'}], not [batch, sequence]`,
        'Export it with dynamic batch and sequence sizes.',
      );
    }
  }
  return roles;
}

function roleOf({ name, type }: Value, named: NamedInputs): TextRole | undefined {
  const told = TEXT_ROLES.find((role) => named[role] === name);
  if (told) return told;
  const stem = name.replace(/:\d+$/, '');
  const role = TEXT_ROLES.find((candidate) => named[candidate] === undefined && USUAL[candidate].test(stem));
  // Ids are whole numbers; a mask may be anything.
  const fits = role === ATTENTION_MASK || ['int64', 'int32', 'float32'].includes(type ?? 'int64');
  return fits ? role : undefined;
}

/** `logits: float32 [batch, 3]`, for messages. */
export function describeValue({ name, type, shape }: Value): string {
  return `${name}: ${type ?? 'unknown'} [${shape?.join(', ') ?? '?'}]`;
}
