import type { ModelMessage, ModelRequest, ModelToolCall } from './model-adapter.ts'

const MAX_QUOTE = 2_000

/** What the demo model says. */
export function cannedAnswer(request: ModelRequest): { text: string; isSlow: boolean } {
  const { said, results, earlierRounds } = readRequest(request)
  const words = /\p{Script=Han}/u.test(said) ? chinese : english
  const isSlow = /(^|\s)\/slow\b/.test(said)
  if (results.length > 0) return { text: words.results(results.map(shortened)), isSlow }
  if ((request.parameters.responseFormat ?? 'text') !== 'text')
    return { text: JSON.stringify({ demo: true, you_said: said, earlier_rounds: earlierRounds }), isSlow }
  if (/讲(一)?个.{0,6}故事|tell .{0,20}story/i.test(said)) return { text: words.story, isSlow }
  return { text: words.echo(shortened(said), earlierRounds), isSlow }
}

/** The call that the user asks for by the tool's name; none once its result is there. */
export function toolCallFor(request: ModelRequest): ModelToolCall | undefined {
  const { said, results } = readRequest(request)
  if (results.length > 0) return undefined

  // the longest name that fits: `get_weather_today` is not `get_weather`
  const names = (request.tools ?? []).map((tool) => tool.name).sort((a, b) => b.length - a.length)
  const name = names.find((candidate) => isNamed(candidate, said))
  return name === undefined ? undefined : { id: `call_demo_${request.messages.length}`, name, arguments: firstObject(said) }
}

function readRequest({ messages }: ModelRequest) {
  const last = messages.findLastIndex((message) => message.role === 'user')
  return {
    said: last < 0 ? '' : textOf(messages[last]),
    results: messages.slice(last + 1).flatMap((message) => (message.role === 'tool' ? [message.content] : [])),
    earlierRounds: messages.slice(0, Math.max(last, 0)).filter((message) => message.role === 'user').length,
  }
}

function textOf(message: ModelMessage | undefined): string {
  if (!message) return ''
  if (typeof message.content === 'string') return message.content
  return message.content.map((part) => (part.type === 'text' ? part.text : `[${part.type === 'file' ? part.name : 'image'}]`)).join(' ')
}

function isNamed(name: string, text: string): boolean {
  const at = text.indexOf(name)
  if (at < 0 || name === '') return false
  return !/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + name.length] ?? '')
}

/** `{}` when the text holds no JSON object. */
function firstObject(text: string): string {
  const start = text.indexOf('{')
  for (let end = text.lastIndexOf('}'); start >= 0 && end > start; end = text.lastIndexOf('}', end - 1)) {
    const candidate = text.slice(start, end + 1)
    if (isJson(candidate)) return candidate
  }
  return '{}'
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const shortened = (text: string) => (text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text)

const chinese = {
  echo: (said: string, rounds: number) =>
    `我是内置的演示模型(demo),没有连接真正的大模型,只会重复收到的内容。你说:“${said}”。` +
    (rounds === 0 ? '这是我们的第一轮对话。' : `在这之前,我还能看到 ${rounds} 轮对话。`),
  results: (results: string[]) => `我是内置的演示模型(demo)。工具返回的结果是:${results.join(';')}`,
  story:
    '从前,海边有一座小灯塔。每到夜里,它都把光洒向海面,却从不知道有没有人看见。一个起雾的晚上,一艘迷路的小船循着光慢慢靠了岸。' +
    '船上的孩子抬头喊道:“谢谢你,灯塔!”从那以后,灯塔再也不觉得孤单了。(这个故事由内置的演示模型讲述。)',
}

const english = {
  echo: (said: string, rounds: number) =>
    `I am the built-in demo model: no real model is connected, I only repeat what I get. You said: "${said}". ` +
    (rounds === 0
      ? 'This is the first round of our conversation.'
      : `Before it I can see ${rounds} earlier ${rounds === 1 ? 'round' : 'rounds'}.`),
  results: (results: string[]) => `I am the built-in demo model. The tool answered: ${results.join('; ')}`,
  story:
    'Once upon a time a small lighthouse stood by the sea. Every night it sent its light over the water and never knew whether anyone saw it. ' +
    'On a foggy evening a lost boat followed the light to the shore, and a child on board called: "Thank you, lighthouse!" ' +
    'It never felt lonely again. (Told by the built-in demo model.)',
}
