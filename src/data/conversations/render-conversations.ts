import { LimbeckError } from '../../errors.ts';
import { nodeModule } from '../../platform/node-modules.ts';
import { decodeIsolated, decoderBeside } from '../isolated/decode-isolated.ts';
import type { ChatTemplateSource } from '../modalities/text/tokenizer/chat-template-source.ts';
import type { Conversation } from './conversation.ts';
import type { TemplateInput, TemplatePiece } from './template-decoder.ts';

/** What a template may take for one conversation: a thousand times what real ones need. */
const LIMITS = { memoryBytes: 512 * 2 ** 20, seconds: 10 };

export interface RenderOptions {
  readonly limits?: { readonly memoryBytes: number; readonly seconds: number };
  readonly signal?: AbortSignal | undefined;
}

/**
 * Conversations as text, in their order, by a template that is not trusted: it is run in a process of its own, which is ended when
 * it takes too long or too much. A page has no processes, and runs it itself.
 *
 * @returns for each of them its text, or why there is none
 * @throws LimbeckError `tokenizer.template` for what is no template, and for one that does not come to an end
 */
export async function* renderConversations(
  source: ChatTemplateSource,
  conversations: readonly Conversation[],
  { limits = LIMITS, signal }: RenderOptions = {},
): AsyncGenerator<TemplatePiece> {
  if (!nodeModule('node:child_process')) {
    // Pages without conversations do not load what reads templates.
    const { decode } = await import('./template-decoder.ts');
    yield* decode({ source, conversations });
    return;
  }
  yield* decodeIsolated<TemplateInput, TemplatePiece>({
    decoder: decoderBeside(import.meta.url, 'template-decoder'),
    input: { source, conversations },
    limits,
    file: source.where,
    signal,
    work: 'writing a conversation',
    failed: (problem) =>
      new LimbeckError('tokenizer.template', `the chat template cannot be used: ${problem}`, {
        where: source.where,
        remedy: "Check where the tokenizer is from: no known model's template does that.",
      }),
  });
}
