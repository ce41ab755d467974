"""A chat, a streamed chat and a tool call with the official clients; the address of the server is the argument."""

import sys

import ollama
import openai

url = sys.argv[1]
hello = [{"role": "user", "content": "Hello"}]
tools = [
    {
        "type": "function",
        "function": {
            "name": "read_file",
            "description": "Reads a file.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"],
            },
        },
    }
]

client = ollama.Client(host=url)
assert [model.model for model in client.list().models] == ["qwen3:4b"]
assert "tools" in client.show("qwen3:4b").capabilities
answer = client.chat(model="qwen3:4b", messages=hello, options={"seed": 7, "temperature": 0})
assert answer.message.content == "Good morning, Grüße 🌍.", answer
assert (answer.done_reason, answer.prompt_eval_count, answer.eval_count) == ("stop", 12, 5)
pieces = list(client.chat(model="qwen3:4b", messages=hello, stream=True))
assert "".join(piece.message.content for piece in pieces) == "Good morning, Grüße 🌍."
assert "".join(piece.message.thinking or "" for piece in pieces) == "A greeting."
assert len(pieces) > 2 and pieces[-1].done
answer = client.chat(model="qwen3:4b", messages=hello, tools=tools)
call = answer.message.tool_calls[0].function
assert (call.name, call.arguments) == ("read_file", {"path": "a.txt"})
try:
    client.chat(model="other", messages=hello)
    raise SystemExit("a model that is not there answered")
except ollama.ResponseError as error:
    assert error.status_code == 404, error

client = openai.OpenAI(base_url=url + "/v1", api_key="key-4711", max_retries=0)
assert [model.id for model in client.models.list()] == ["qwen3:4b"]
answer = client.chat.completions.create(model="qwen3:4b", messages=hello, seed=7, temperature=0)
assert answer.choices[0].message.content == "Good morning, Grüße 🌍.", answer
assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 5)
stream = client.chat.completions.create(
    model="qwen3:4b", messages=hello, stream=True, stream_options={"include_usage": True}
)
content, usage = "", None
for event in stream:
    usage = event.usage or usage
    for choice in event.choices:
        content += choice.delta.content or ""
assert content == "Good morning, Grüße 🌍.", content
assert usage.total_tokens == 17, usage
arguments, names = "", []
for event in client.chat.completions.create(
    model="qwen3:4b", messages=hello, tools=tools, tool_choice="auto", stream=True
):
    for choice in event.choices:
        for call in choice.delta.tool_calls or []:
            names += [call.function.name] if call.function.name else []
            arguments += call.function.arguments or ""
assert (names, arguments) == (["read_file"], '{"path":"a.txt"}'), (names, arguments)
wrong = openai.OpenAI(base_url=url + "/v1", api_key="wrong", max_retries=0)
try:
    wrong.chat.completions.create(model="qwen3:4b", messages=hello)
    raise SystemExit("a wrong key was taken")
except openai.AuthenticationError:
    pass
print("ollama", "openai", openai.__version__)
