import { BrokenValue } from '../broken-value.ts';
import type { ChatTemplateSource } from '../modalities/text/tokenizer/chat-template-source.ts';
import { ChatTemplate } from './chat-template.ts';
import type { Conversation } from './conversation.ts';
import { type RenderedConversation, renderConversation } from './render-conversation.ts';

// Runs in a process of its own (src/data/isolated): a template is code of whoever made the model, and may go on for ever.

export interface TemplateInput {
  readonly source: ChatTemplateSource;
  readonly conversations: readonly Conversation[];
}

/** What became of a conversation: its text, or why there is none. */
export type TemplatePiece = { readonly rendered: RenderedConversation } | { readonly problem: string };

/** The conversations as text, one after another. */
export async function* decode({ source, conversations }: TemplateInput): AsyncGenerator<TemplatePiece> {
  const template = new ChatTemplate(source);
  for (const conversation of conversations) yield rendering(template, conversation);
}

/** @throws what is not the conversation's fault */
function rendering(template: ChatTemplate, conversation: Conversation): TemplatePiece {
  try {
    return { rendered: renderConversation(template, conversation) };
  } catch (error) {
    if (error instanceof BrokenValue) return { problem: error.message };
    throw error;
  }
}
