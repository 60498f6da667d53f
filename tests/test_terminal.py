"""Tables on a terminal and elsewhere."""

from keras_lt.terminal import print_table

ROWS = [("wb [b]", ("61.5", "ended early")), ("auto :cat:", ("7.0", ""))]


def test_plain_text_is_neither_cut_nor_marked_up(capsys):
    titles = ("overall", "a title that is " + "long " * 30)
    print_table("method", titles, ROWS, noted=True)
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["method", "overall"] and len(head) > 150
    assert rows[0].rstrip() == "wb [b]         61.5  ended early"
    assert rows[1].rstrip() == "auto :cat:      7.0"


def test_a_terminal_gets_a_line_below_the_titles(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    print_table("method", ("overall",), [("wb", ("61.5",))])
    assert "\u2500" * 5 in capsys.readouterr().out
