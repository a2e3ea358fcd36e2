"""Files that can and cannot be read; every error names file, line and column."""

from __future__ import annotations

import io
import sys

import pytest

from readerstudy.stats_cli.tables import in_order, read_table

GOOD = "case,truth,score\n1,0,1.5\n2,1,2.5\n3,0,1.0\n4,1,4.0\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "given.csv is empty; it needs a line of column names"),
        ("case,truth,score\n", "given.csv has column names but no rows"),
        ("case,truth,truth\n1,0,1\n", "line 1: more than one column is called 'truth'"),
        ("case;truth;score\n1;0;1\n", "try --delimiter ';'"),
        ("case\ttruth\tscore\n1\t0\t1\n", "try --delimiter tab"),
        ("case,truth,score\n1,0,1\n2,1\n", "line 3: 2 fields, but the first line names 3 columns"),
        ("case,truth,mark\n1,0,1\n", "There are case, truth, mark; name it with --score"),
        ("case,truth,score\n1,0,1\n\n2,1,good\n", "line 4, column score: 'good' is not a number"),
        ('case,truth,score\n1,0,"1,5"\n', "'1,5' is not a number; write decimals with a point"),
        ("case,truth,score\n1,0,inf\n", "line 2, column score: 'inf' is not a finite number"),
        ("case,truth,score\n1,0,1\n2,1,\n", "line 3, column score: is empty or NA"),
        ("case,truth,score\n1,a,1\n2,b,2\n", "'a', 'b' are not 0 and 1"),
        ("case,truth,score\n1,0,1\n,1,2\n", "line 3, column case: is empty; every row"),
        ('case,truth,score\n1,0,"1\n', "given.csv, line 2: unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(stats, text_file, text, words):
    found = stats("roc", text_file(text))
    assert found.code == 1
    assert words in found.err
    assert not found.out


def test_the_line_counts_breaks_inside_quoted_text(stats, text_file):
    text = 'case,truth,score,remark\n1,0,1,"two\nlines"\n2,1,x,plain\n'
    assert "line 4, column score: 'x' is not a number" in stats("roc", text_file(text)).err


def test_no_such_file_and_no_such_column(stats, tmp_path, text_file):
    assert "absent.csv cannot be read: No such file" in stats("roc", tmp_path / "absent.csv").err
    found = stats("roc", text_file(GOOD), "--score", "confidence")
    assert found.code == 1
    assert "no column 'confidence'; it has case, truth, score" in found.err


def test_a_file_in_another_encoding_is_refused(stats, tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("case,truth,score\nKöln,0,1\n".encode("latin-1"))
    assert "latin.csv is not UTF-8 text" in stats("roc", path).err


def test_byte_order_mark_capitals_and_other_delimiters_are_read(stats, tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("Case;Truth;Score\n1;no;1\n2;yes;2\n3;no;3\n4;yes;4\n".encode("utf-8-sig"))
    found = stats("roc", path, "--delimiter", ";", "--json", "-")
    assert found.rows("auc")[0]["auc"] == 0.75
    assert stats("roc", path, "--delimiter", "::").code == 1


def test_the_standard_input_is_read(stats, monkeypatch):
    piped = io.TextIOWrapper(io.BytesIO(GOOD.encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    found = stats("roc", "-", "--json", "-")
    assert found.document()["input"]["file"] == "standard input"
    assert found.rows("auc")[0]["auc"] == 1.0


def test_rows_are_chosen_by_where(stats, text_file):
    path = text_file("case,truth,score,site\n1,0,1,A\n2,1,2,A\n3,0,1,B\n4,1,0,B\n")
    chosen = stats("roc", path, "--where", "site=B", "--json", "-")
    assert chosen.rows("auc")[0]["auc"] == 0.0
    assert "no row has site=C; there are 'A', 'B'" in stats("roc", path, "--where", "site=C").err
    assert "write it as COLUMN=VALUE" in stats("roc", path, "--where", "site").err


def test_a_label_may_be_named_positive(stats, text_file):
    path = text_file("case,truth,score\n1,benign,1\n2,cancer,2\n3,benign,3\n4,cancer,4\n")
    found = stats("roc", path, "--positive", "cancer", "--json", "-")
    assert found.rows("auc")[0]["auc"] == 0.75
    assert "no row is 'Cancer'" in stats("roc", path, "--positive", "Cancer").err
    three = text_file("case,truth,score\n1,a,1\n2,b,2\n3,c,3\n")
    assert "more than two labels" in stats("roc", three, "--positive", "a").err


def test_missing_values_are_counted_when_left_out(stats, text_file):
    path = text_file("case,truth,score\n1,0,1\n2,1,NA\n3,0,3\n4,1,2\n5,1,\n6,1,4\n")
    found = stats("roc", path, "--missing", "omit")
    assert found.code == 0
    assert "Left out, as a value is missing: score: 2." in found.out


def test_labels_are_in_the_order_of_their_numbers(text_file):
    table = read_table(str(text_file("reader\n10\n2\n1\n")))
    assert in_order(table.labels("reader")) == [1, 2, 10]
    assert read_table(str(text_file("reader\n01\n2\n"))).labels("reader") == ["01", "2"]
