// Templates of JSONPath and of Go: what is refused, and what the comparison with kubectl cannot say in a line.
import { expect, test } from 'vitest'
import { goTemplate } from './go-template.ts'
import { jsonPathTemplate } from './json-path-template.ts'

const secret = {
  data: { a: 'eA==' },
  items: [
    { name: 'x', n: 1 },
    { name: 'y', n: 2 },
  ],
}

test.each([
  ['{range .items[*]}{.name}{"\\n"}{end}', 'x\ny\n'],
  ['{range .items[?(@.n>=2)]}[{.name}]{end}', '[y]'],
  ['{.items[0,1].name}', 'x y'],
  ['{.items[*][\'name\',"n"]}', 'x 1 y 2'],
  ['{.items[::2].name}', 'x'],
  ['{..n}', '1 2'],
  ['a{"}"}b', 'a}b'],
])('JSONPath %s gives %j', (template, text) => {
  expect(jsonPathTemplate(template)(secret)).toBe(text)
})

test.each(['{', '{range .items[*]}', '{end}', '{.a[}', '{nope}', '{.a[?(x)]}'])(
  'JSONPath %s is refused',
  (template) => {
    expect(() => jsonPathTemplate(template)(secret)).toThrow('error parsing jsonpath')
  },
)

test.each([
  ['{{.data.a | base64decode}}', 'x'],
  ['{{range .items}}{{- .name}} {{else}}none{{end}}', 'x y '],
  ['{{range .nope}}x{{else}}none{{end}}', 'none'],
  ['{{with .data}}{{.a}}{{end}}', 'eA=='],
  ['{{if and (eq (len .items) 2) (gt (index .items 1).n 1)}}yes{{else}}no{{end}}', 'yes'],
  ['{{if .nope}}a{{else if .data}}b{{end}}', 'b'],
  ['{{$n := index .items 0}}{{$n.name}} {{ $.data.a }}', 'x eA=='],
  ['{{printf "%-3s|%q|%d" "a" "b" 3}}', 'a  |"b"|3'],
  ['a {{- /* note */ -}} b', 'ab'],
])('Go template %s gives %j', (template, text) => {
  expect(goTemplate(template)(secret)).toBe(text)
})

test.each(['{{', '{{end}}', '{{if .a}}', '{{nope .a}}', '{{.a | }}', '{{(.a}}{{)}}'])(
  'Go template %s is refused',
  (template) => {
    expect(() => goTemplate(template)(secret)).toThrow('error parsing template')
  },
)
