"""The program: python3 -m {{snake}}."""

from {{snake}} import greeting

print(greeting("{{name}}"))
