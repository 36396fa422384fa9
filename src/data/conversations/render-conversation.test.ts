import { describe, expect, it } from 'vitest';
import { CHATML } from '../modalities/text/tokenizer/chat-template-source.ts';
import { ChatTemplate } from './chat-template.ts';
import type { Message } from './conversation.ts';
import { renderConversation } from './render-conversation.ts';
import { KNOWN_TEMPLATES } from './testing/known-templates.ts';

const TOKENS = { bos_token: '<s>', eos_token: '</s>' };
const templateOf = (template: string) => new ChatTemplate({ template, tokens: TOKENS, where: 'a.json' });
const say = (...texts: string[]): Message[] =>
  texts.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
const system: Message = { role: 'system', content: 'Be brief.' };

function rendered(template: string, messages: readonly Message[], tools?: readonly unknown[]) {
  const conversation = { messages, ...(tools && { tools }) };
  const { text, answers } = renderConversation(templateOf(template), conversation);
  return { text, answers: answers.map(([from, to]) => text.slice(from, to)) };
}

describe('conversations as text, and what the assistant wrote', () => {
  it('ChatML', () => {
    expect(rendered(KNOWN_TEMPLATES.chatml, [system, ...say('Hi', 'Hello\n', 'Bye', 'See you ')])).toEqual({
      text: [
        '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n',
        '<|im_start|>assistant\nHello\n<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n',
        '<|im_start|>assistant\nSee you <|im_end|>\n',
      ].join(''),
      // With the token that ends an answer, without the line's end that nobody has to write.
      answers: ['Hello\n<|im_end|>', 'See you <|im_end|>'],
    });
  });

  it('Llama 3', () => {
    const header = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
    expect(rendered(KNOWN_TEMPLATES.llama3, [system, ...say('Hi', ' Hello ')])).toEqual({
      text: `<s>${header('system')}Be brief.<|eot_id|>${header('user')}Hi<|eot_id|>${header('assistant')}Hello<|eot_id|>`,
      answers: ['Hello<|eot_id|>'],
    });
  });

  it('Gemma, which has no system', () => {
    expect(rendered(KNOWN_TEMPLATES.gemma, say('Hi', 'Hello'))).toEqual({
      text: '<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n',
      answers: ['Hello<end_of_turn>'],
    });
    expect(() => rendered(KNOWN_TEMPLATES.gemma, [system, ...say('Hi', 'Hello')])).toThrow(
      'the chat template refuses message 1 (system): System role not supported',
    );
  });

  it('Mistral, which adds nothing where the assistant is to speak', () => {
    expect(rendered(KNOWN_TEMPLATES.mistral, say('Hi', 'Hello', 'Bye', 'Ciao'))).toEqual({
      text: '<s>[INST] Hi [/INST]Hello</s> [INST] Bye [/INST]Ciao</s> ',
      answers: ['Hello</s>', 'Ciao</s>'],
    });
    expect(() =>
      rendered(KNOWN_TEMPLATES.mistral, [...say('Hi', 'Hello'), ...say('Bye', 'Ciao').reverse()]),
    ).toThrow(/refuses message 3 \(assistant\): Conversation roles must alternate/);
  });

  it('a template that marks answers, and asks for the day', () => {
    const { text, answers } = rendered(KNOWN_TEMPLATES.marked, say('Hi', '\nHello'));
    expect(text).toBe(
      '<|im_start|>system\n26 July 2024<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n',
    );
    expect(answers).toEqual(['<|im_start|>assistant\nHello<|im_end|>\n']);
  });

  it('only answers that say something', () => {
    const silent = say('Hi', '', 'Hm?', 'Yes');
    expect(rendered(KNOWN_TEMPLATES.chatml, silent).answers).toEqual(['Yes<|im_end|>']);
  });
});

describe('tools', () => {
  const weather = { type: 'function', function: { name: 'weather', parameters: { place: 'string' } } };
  const call = (place: string) => ({ function: { name: 'weather', arguments: { place } } });
  const used: Message[] = [
    { role: 'user', content: 'Rain?' },
    { role: 'assistant', content: null, tool_calls: [call('Ulm'), call('Bonn')] },
    { role: 'tool', content: 'dry' },
    { role: 'tool', content: 'wet' },
    { role: 'assistant', content: 'In Bonn.' },
  ];
  const calls = [
    '<tool_call>\n{"name": "weather", "arguments": {"place": "Ulm"}}\n</tool_call>',
    '<tool_call>\n{"name": "weather", "arguments": {"place": "Bonn"}}\n</tool_call>',
  ].join('\n');
  const schema = '{"type": "function", "function": {"name": "weather", "parameters": {"place": "string"}}}';

  it('are written by the ChatML of learnt vocabularies; calls are asked for, and what tools say is not', () => {
    const { text, answers } = rendered(CHATML, [system, ...used], [weather]);
    expect(text).toBe(
      [
        `<|im_start|>system\nBe brief.\n\n<tools>\n${schema}\n</tools><|im_end|>\n`,
        `<|im_start|>user\nRain?<|im_end|>\n<|im_start|>assistant\n${calls}<|im_end|>\n<|im_start|>user\n`,
        '<tool_response>\ndry\n</tool_response>\n<tool_response>\nwet\n</tool_response><|im_end|>\n',
        '<|im_start|>assistant\nIn Bonn.<|im_end|>\n',
      ].join(''),
    );
    expect(answers).toEqual([`${calls}<|im_end|>`, 'In Bonn.<|im_end|>']);
    // Without tools nothing of them is there.
    const plain = say('Hi', 'Hello');
    expect(rendered(CHATML, [system, ...plain]).text).toBe(
      rendered(KNOWN_TEMPLATES.chatml, [system, ...plain]).text,
    );
  });

  it('are asked for by what a template adds, where it marks nothing', () => {
    const { text, answers } = rendered(KNOWN_TEMPLATES.hermes, used, [weather]);
    expect(text).toContain(schema);
    expect(answers).toEqual([`${calls}<|im_end|>`, 'In Bonn.<|im_end|>']);
  });
});

describe('a template that cannot be learnt from', () => {
  it('changes an answer with what follows', () => {
    // As templates do that leave out what was thought, except in the last answer.
    const forgetful =
      "{% for m in messages %}{{ m.role + ': ' + ('(thinks) ' if loop.last and m.role == 'assistant' else '') + m.content + '\n' }}{% endfor %}";
    expect(rendered(forgetful, say('Hi', 'Hello')).answers).toEqual(['assistant: (thinks) Hello']);
    expect(() => rendered(forgetful, say('Hi', 'Hello', 'Bye', 'Ciao'))).toThrow(
      /before the answer in message 2 changes with what follows; it has to mark answers with {% generation %}/,
    );
  });

  it('leaves answers out', () => {
    expect(() => rendered('{{ messages[0].content }}', say('Hi', 'Hello'))).toThrow(/writes no answer/);
  });

  it.each([
    ['{% if x %}', /^the chat template cannot be read: it ends inside of a block/],
    ['{{ x', /^the chat template cannot be read: Unexpected end of input/],
    ['a\ufdd0', /U\+FDD0/],
  ])('is no template: %j', (template, message) => {
    const made = () => templateOf(template);
    expect(made).toThrow(expect.objectContaining({ code: 'tokenizer.template', where: 'a.json' }));
    expect(made).toThrow(message);
  });

  it.each([
    ['{{ nothing() }}', /refuses message 1 \(user\): /],
    ['{{ range(10 ** 9) }}', /range\(\) of 1000000000 numbers/],
    [
      "{% set ns = namespace(x='abcdefgh') %}{% for i in range(22) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
      /it writes 33554432 characters/,
    ],
  ])('does what cannot be done: %s', (template, message) => {
    expect(() => rendered(template, say('Hi', 'Hello'))).toThrow(message);
  });
});
