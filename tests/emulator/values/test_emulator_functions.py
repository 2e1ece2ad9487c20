"""Functions give what the documentation of Google's, or of Excel's where they agree, says."""

import re
from pathlib import Path

import pytest
from test_emulator_formulas import TABLE, book_of, result

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.missing import COMPUTED

HERE = Path(__file__).parent
DAYS = "{DATE(2008,1,1),DATE(2008,3,1),DATE(2008,10,30),DATE(2009,2,15),DATE(2009,4,1)}"
FLOWS = "{-10000,2750,4250,3250,2750}"
Y, X = "{2,3,9,1,8,7,5}", "{6,5,11,7,5,4,4}"
NINE = "{1,2,3,6,6,6,7,8,9}"
TEN = "{3,4,5,2,3,4,5,6,4,7}"
FALLING = "{13,12,11,8,4,3,2,1,1,1}"


def value(formula):
    """Return what a formula beside the table computes to, an error as its code."""
    columns = [*zip(*TABLE, strict=True), *[()] * 21, (formula,)]
    book = book_of(*columns)
    found = Evaluator(book).value(book.sheets[0], 0, 25)
    return found.code if isinstance(found, CellError) else found


def holds(formula, expected):
    """Whether a formula computes to a value, a number to seven digits."""
    exact = isinstance(expected, (str, bool))
    found = value("=" + formula)
    assert found == (expected if exact else pytest.approx(expected, rel=1e-6, abs=1e-9))
    assert isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("CEILING.MATH(24.3,5)", 25),
        ("CEILING.MATH(-8.1,2)", -8),
        ("CEILING.MATH(-5.5,2,-1)", -6),
        ("CEILING.PRECISE(-4.1,2)", -4),
        ("ISO.CEILING(4.3)", 5),
        ("FLOOR.MATH(24.3,5)", 20),
        ("FLOOR.MATH(-8.1,2)", -10),
        ("FLOOR.MATH(-5.5,2,-1)", -4),
        ("FLOOR.PRECISE(-3.2,-1)", -4),
        ("MROUND(10,3)", 9),
        ("MROUND(-10,-3)", -9),
        ("MROUND(5,-2)", "#NUM!"),
        ("EVEN(1.5)", 2),
        ("EVEN(-1)", -2),
        ("EVEN(0)", 0),
        ("ODD(2)", 3),
        ("ODD(-2)", -3),
        ("ODD(0)", 1),
        ("SQRTPI(1)", 1.772453851),
        ("SERIESSUM(2,0,1,{1,1,1})", 7),
        ("DELTA(5,4)", 0),
        ("DELTA(0.5,0.5)", 1),
        ("GESTEP(5,4)", 1),
        ("GESTEP(-4,-5)+GESTEP(-1)", 1),
        ("ADD(2,3)", 5),
        ("MINUS(2,3)", -1),
        ("MULTIPLY(2,3)", 6),
        ("DIVIDE(4,2)", 2),
        ("DIVIDE(4,0)", "#DIV/0!"),
        ("POW(4,0.5)", 2),
        ("UMINUS(4)", -4),
        ('UPLUS("a")', "a"),
        ("UNARY_PERCENT(50)", 0.5),
        ('EQ("a","A")', True),
        ("NE(1,2)", True),
        ("GT(2,2)", False),
        ("GTE(2,2)", True),
        ("LT(1,2)", True),
        ("LTE(3,2)", False),
        ("ISBETWEEN(7.9,1.2,12.45)", True),
        ("ISBETWEEN(1.2,1.2,12.45,FALSE,TRUE)", False),
        ("ISBETWEEN(12.45,1.2,12.45,TRUE,FALSE)", False),
        ("ISEVEN(4)", True),
        ("ABS(-2)", 2),
        ("SUMX2MY2(" + Y + "," + X + ")", -55),
        ("SUMX2PY2(" + Y + "," + X + ")", 521),
        ("SUMXMY2(" + Y + "," + X + ")", 79),
    ],
)
def test_numbers(formula, expected):
    """Multiples, parities and the operators by their names."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("FACT(5)", 120),
        ("FACT(1.9)", 1),
        ("FACT(-1)", "#NUM!"),
        ("FACTDOUBLE(6)", 48),
        ("FACTDOUBLE(7)", 105),
        ("COMBIN(8,2)", 28),
        ("COMBIN(2,3)", "#NUM!"),
        ("COMBINA(4,3)", 20),
        ("PERMUT(100,3)", 970200),
        ("GCD(24,36)", 12),
        ("LCM(24,36)", 72),
        ("MULTINOMIAL(2,3,4)", 1260),
        ("BASE(7,2)", "111"),
        ("BASE(15,2,10)", "0000001111"),
        ('DECIMAL("FF",16)', 255),
        ('DECIMAL("zap",36)', 45745),
        ('DECIMAL("9",8)', "#NUM!"),
        ("BITAND(13,25)", 9),
        ("BITOR(23,10)", 31),
        ("BITXOR(5,3)", 6),
        ("BITLSHIFT(4,2)", 16),
        ("BITRSHIFT(13,2)", 3),
        ("ROMAN(499)", "CDXCIX"),
        ("ROMAN(4000)", "#NUM!"),
        ('ARABIC("LVII")', 57),
        ('ARABIC("mcmxii")', 1912),
        ('BIN2DEC("1111111111")', -1),
        ('BIN2HEX("11111011",4)', "00FB"),
        ('BIN2OCT("1001",3)', "011"),
        ("DEC2BIN(9,4)", "1001"),
        ("DEC2BIN(-100)", "1110011100"),
        ("DEC2BIN(512)", "#NUM!"),
        ("DEC2HEX(-54)", "FFFFFFFFCA"),
        ("DEC2OCT(58,3)", "072"),
        ('HEX2BIN("F",8)', "00001111"),
        ('HEX2DEC("FFFFFFFF5B")', -165),
        ('HEX2OCT("F",3)', "017"),
        ("OCT2BIN(3,3)", "011"),
        ("OCT2DEC(54)", 44),
        ("OCT2HEX(100,4)", "0040"),
    ],
)
def test_whole_numbers(formula, expected):
    """Counting, divisors, number systems and bits."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SIN(PI()/2)", 1),
        ("COS(1.047)", 0.5001711),
        ("TAN(0.785)", 0.99920399),
        ("COT(30)", -0.156119952),
        ("COT(0)", "#DIV/0!"),
        ("SEC(45)", 1.90359441),
        ("CSC(15)", 1.537780562),
        ("ASIN(-0.5)", -0.523598776),
        ("ASIN(2)", "#NUM!"),
        ("ACOS(-0.5)", 2.094395102),
        ("ATAN(1)", 0.785398163),
        ("ACOT(2)", 0.463647609),
        ("ATAN2(-1,-1)", -2.35619449),
        ("ATAN2(0,0)", "#DIV/0!"),
        ("SINH(1)", 1.175201194),
        ("COSH(4)", 27.30823284),
        ("TANH(-2)", -0.96402758),
        ("COTH(2)", 1.037314721),
        ("SECH(1)", 0.648054274),
        ("CSCH(1.5)", 0.469642441),
        ("ASINH(-2.5)", -1.647231146),
        ("ACOSH(10)", 2.993222846),
        ("ATANH(0.76159416)", 1.00000001),
        ("RADIANS(270)", 4.71238898),
        ("DEGREES(PI())", 180),
    ],
)
def test_angles(formula, expected):
    """Functions of angles, in radians, and hyperbolic ones."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("PERCENTILE({11.4,17.3,21.3,25.9,40.1},0.42)", 20.02),
        ("PERCENTILE({1,2},2)", "#NUM!"),
        ("PERCENTILE(Y1:Y3,0.5)", "#NUM!"),
        ("PERCENTILE.INC({1,2,3,4},0.3)", 1.9),
        (f"PERCENTILE.EXC({NINE},0.25)", 2.5),
        (f"PERCENTILE.EXC({NINE},0.01)", "#NUM!"),
        ("QUARTILE({1,2,4,7,8,9,10,12},1)", 3.5),
        ("QUARTILE.INC({1,2,4,7,8,9,10,12},4)", 12),
        ("QUARTILE.EXC({6,7,15,36,39,40,41,42,43,47,49},1)", 15),
        (f"PERCENTRANK({FALLING},2)", 0.333),
        (f"PERCENTRANK.INC({FALLING},5)", 0.583),
        (f"PERCENTRANK.INC({FALLING},50)", "#N/A"),
        (f"PERCENTRANK.EXC({NINE},7)", 0.7),
        (f"PERCENTRANK.EXC({NINE},5.43)", 0.381),
        ("RANK.EQ(7,{7,3.5,3.5,1,2},1)", 5),
        ("RANK.AVG(3.5,{7,3.5,3.5,1,2},1)", 3.5),
        ("RANK.AVG(94,{89,88,92,101,94,97,95})", 4),
        ("MODE({5.6,4,4,3,2,4})", 4),
        ("MODE.SNGL({1,2})", "#N/A"),
        ("GEOMEAN({4,5,8,7,11,4,3})", 5.47698697),
        ("GEOMEAN({0,1})", "#NUM!"),
        ("HARMEAN({4,5,8,7,11,4,3})", 5.028375962),
        ("AVEDEV({4,5,6,7,5,4,3})", 1.020408163),
        ("DEVSQ({4,5,8,7,11,4,3})", 48),
        (f"SKEW({TEN})", 0.359543071),
        (f"SKEW.P({TEN})", 0.303193339),
        ("SKEW({1,2})", "#DIV/0!"),
        (f"KURT({TEN})", -0.151799637),
        ("TRIMMEAN({4,5,6,7,2,3,4,5,1,2,3},0.2)", 3.777777778),
        ('AVERAGEA({10,7,9,2,"x"})', 5.6),
        ('MAXA({0,0.2,0.5,"x",TRUE})', 1),
        ('MINA({5,0.2,0.5,"x",TRUE})', 0),
        ('STDEVA({1,2,3,"x"})', 1.290994449),
        ('STDEVPA({1,3,"x"})', 1.247219129),
        ('VARA({1,2,3,"x"})', 1.666666667),
        ('VARPA({1,3,"x"})', 1.555555556),
        ("STDEV.S({1,2,3})+STDEV.P({1,3})+STDEVP({1,3})", 3),
        ("VAR({1,2,3})+VAR.S({1,2,3})+VAR.P({1,3})", 3),
        ("AVERAGE.WEIGHTED({1,2},{3,1})", 1.25),
        ("SUMPRODUCT(FREQUENCY({79,85,78,85,50,81,95,88,97},{70,79,89})*{1;10;100;1000})", 2421),
        ("CORREL({3,2,4,5,6},{9,7,12,15,17})", 0.997054486),
        ("PEARSON({9,7,5,3,1},{10,6,1,5,3})", 0.699378606),
        (f"RSQ({Y},{X})", 0.05795019),
        (f"SLOPE({Y},{X})", 0.305555556),
        ("INTERCEPT({2,3,9,1,8},{6,5,11,7,5})", 0.0483870968),
        ("FORECAST(30,{6,7,9,15,21},{20,28,31,38,40})", 10.60725309),
        ("FORECAST.LINEAR(30,{6,7,9,15,21},{20,28,31,38,40})", 10.60725309),
        (f"STEYX({Y},{X})", 3.30571895),
        ("COVAR({3,2,4,5,6},{9,7,12,15,17})", 5.2),
        ("COVARIANCE.P({3,2,4,5,6},{9,7,12,15,17})", 5.2),
        ("COVARIANCE.S({2,4,8},{5,11,12})", 9.666666667),
        ("CORREL({1,2},{1,2,3})", "#N/A"),
    ],
)
def test_statistics(formula, expected):
    """Order, spread and pairs of values."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("NORM.DIST(42,40,1.5,TRUE)", 0.90878878),
        ("NORMDIST(42,40,1.5,FALSE)", 0.10934005),
        ("NORM.DIST(42,40,0,TRUE)", "#NUM!"),
        ("NORM.INV(0.908789,40,1.5)", 42.000002),
        ("NORMINV(0.908789,40,1.5)", 42.000002),
        ("NORMSDIST(1.333333)", 0.908788726),
        ("NORM.S.DIST(1.333333,FALSE)", 0.164010148),
        ("NORM.S.INV(0.908789)", 1.3333347),
        ("NORMSINV(1)", "#NUM!"),
        ("PHI(0.75)", 0.301137432),
        ("GAUSS(2)", 0.477249868),
        ("STANDARDIZE(42,40,1.5)", 1.333333333),
        ("CONFIDENCE(0.05,2.5,50)", 0.692951912),
        ("CONFIDENCE.NORM(0.05,2.5,50)", 0.692951912),
        ("BINOM.DIST(6,10,0.5,FALSE)", 0.205078125),
        ("BINOMDIST(2,4,0.5,TRUE)", 0.6875),
        ("POISSON(2,5,TRUE)", 0.124652019),
        ("POISSON.DIST(2,5,FALSE)", 0.084224337),
        ("EXPONDIST(0.2,10,TRUE)", 0.864664717),
        ("EXPON.DIST(0.2,10,FALSE)", 1.353352832),
        ("FISHER(0.75)", 0.972955075),
        ("FISHERINV(0.972955)", 0.749999967),
        ("ERF(0.745)", 0.70792892),
        ("ERF(0,1)", 0.842700793),
        ("ERF.PRECISE(1)", 0.842700793),
        ("ERFC(1)", 0.157299207),
        ("ERFC.PRECISE(1)", 0.157299207),
        ("GAMMA(2.5)", 1.329340388),
        ("GAMMALN(4)", 1.791759469),
        ("GAMMALN.PRECISE(4.5)", 2.453736571),
    ],
)
def test_distributions(formula, expected):
    """Probability distributions."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("PMT(0.08/12,10,10000)", -1037.032089),
        ("PMT(0,10,1000)", -100),
        ("FV(0.06/12,10,-200,-500,1)", 2581.403374),
        ("PV(0.08/12,240,500)", -59777.14585),
        ("NPER(0.12/12,-100,-1000,10000,1)", 59.67386567),
        ("RATE(48,-200,8000)", 0.007701472),
        ("IPMT(0.1/12,1,36,8000)", -66.66666667),
        ("IPMT(0.1,3,3,8000)", -292.4471299),
        ("IPMT(0.1,4,3,8000)", "#NUM!"),
        ("IPMT(0.1,1,3,8000,0,1)", 0),
        ("PPMT(0.1/12,1,24,2000)", -75.62318601),
        ("CUMIPMT(0.09/12,360,125000,13,24,0)", -11135.23213),
        ("CUMPRINC(0.09/12,360,125000,13,24,0)", -934.1071234),
        ("NPV(0.1,-10000,3000,4200,6800)", 1188.443412),
        ("IRR({-70000,12000,15000,18000,21000,26000})", 0.086630948),
        ("IRR({1,2})", "#NUM!"),
        ("MIRR({-120000,39000,30000,21000,37000,46000},0.1,0.12)", 0.126094131),
        (f"XNPV(0.09,{FLOWS},{DAYS})", 2086.647602),
        (f"XIRR({FLOWS},{DAYS})", 0.373362535),
        ("EFFECT(0.0525,4)", 0.053542667),
        ("NOMINAL(0.053543,4)", 0.052500319),
        ("RRI(96,10000,11000)", 0.000993307),
        ("PDURATION(0.025,2000,2200)", 3.859866163),
        ("FVSCHEDULE(1,{0.09,0.11,0.1})", 1.33089),
        ("SLN(30000,7500,10)", 2250),
        ("SYD(30000,7500,10,1)", 4090.909091),
        ("DDB(2400,300,10,1)", 480),
        ("DDB(2400,300,3650,1)", 1.315068493),
        ("DDB(2400,300,10,10)", 22.1225472),
    ],
)
def test_finance(formula, expected):
    """Loans, savings and depreciation."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("WEEKNUM(DATE(2012,3,9))", 10),
        ("WEEKNUM(DATE(2012,3,9),2)", 11),
        ("WEEKNUM(DATE(2012,3,9),21)", 10),
        ("WEEKNUM(DATE(2012,3,9),3)", "#NUM!"),
        ("ISOWEEKNUM(DATE(2012,3,9))", 10),
        ("WORKDAY(DATE(2008,10,1),151)=DATE(2009,4,30)", True),
        (
            "WORKDAY(DATE(2008,10,1),151,{DATE(2008,11,26),DATE(2008,12,4),DATE(2009,1,21)})",
            39938,
        ),
        ("WORKDAY(DATE(2024,1,8),-1)=DATE(2024,1,5)", True),
        ("WORKDAY.INTL(DATE(2012,1,1),90,11)", 41013),
        ("WORKDAY.INTL(DATE(2012,1,1),30,17)=DATE(2012,2,5)", True),
        ('WORKDAY.INTL(DATE(2012,1,1),1,"1111111")', "#VALUE!"),
        ("NETWORKDAYS(DATE(2012,10,1),DATE(2013,3,1))", 110),
        ("NETWORKDAYS(DATE(2012,10,1),DATE(2013,3,1),DATE(2012,11,22))", 109),
        ("NETWORKDAYS.INTL(DATE(2006,1,1),DATE(2006,1,31))", 22),
        ("NETWORKDAYS.INTL(DATE(2006,2,28),DATE(2006,1,31))", -21),
        (
            "NETWORKDAYS.INTL(DATE(2006,1,1),DATE(2006,2,1),7,{DATE(2006,1,2),DATE(2006,1,16)})",
            22,
        ),
        (
            'NETWORKDAYS.INTL(38718,38749,"0010001",{DATE(2006,1,2),DATE(2006,1,16)})',
            20,
        ),
        ("DAYS360(DATE(2011,1,30),DATE(2011,2,1))", 1),
        ("DAYS360(DATE(2011,1,1),DATE(2011,12,31))", 360),
        ("DAYS360(DATE(2011,1,1),DATE(2011,12,31),TRUE)", 359),
        ("YEARFRAC(DATE(2012,1,1),DATE(2012,7,30))", 0.580555556),
        ("YEARFRAC(DATE(2012,1,1),DATE(2012,7,30),1)", 0.576502732),
        ("YEARFRAC(DATE(2012,1,1),DATE(2012,7,30),2)", 0.586111111),
        ("YEARFRAC(DATE(2012,1,1),DATE(2012,7,30),3)", 0.578082192),
        ("YEARFRAC(DATE(2012,1,1),DATE(2012,7,30),5)", "#NUM!"),
        ('DATEDIF(DATE(2001,6,1),DATE(2002,8,15),"YD")', 75),
        ('DATEDIF(DATE(2001,6,1),DATE(2002,8,15),"MD")', 14),
        ('DATEDIF(DATE(2001,6,1),DATE(2002,8,15),"YM")', 2),
        ('TEXT(EPOCHTODATE(1655906710),"yyyy-mm-dd hh:mm:ss")', "2022-06-22 14:05:10"),
        ("EPOCHTODATE(1655906710,4)", "#NUM!"),
        ('TIMEVALUE("6:00")', 0.25),
        ("TO_DATE(1)+TO_PERCENT(1)", 2),
    ],
)
def test_days(formula, expected):
    """Weeks, working days and parts of years."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('CLEAN(CHAR(9)&"x"&CHAR(10))', "x"),
        ("UNICHAR(68)", "D"),
        ("UNICHAR(55296)", "#NUM!"),
        ('UNICODE("B")', 66),
        ("FIXED(1234.567,1)", "1,234.6"),
        ("FIXED(-1234.567,1,TRUE)", "-1234.6"),
        ("FIXED(44.332)", "44.33"),
        ("FIXED(1234.567,-1)", "1,230"),
        ("DOLLAR(1234.567)", "$1,234.57"),
        ('ENCODEURL("a b/c?d")', "a%20b%2Fc%3Fd"),
        ("TO_PURE_NUMBER(50%)", 0.5),
        ('TO_PURE_NUMBER("x")', "x"),
        ("TO_DOLLARS(40826)", 40826),
        ('ISEMAIL("noreply@google.com")', True),
        ('ISEMAIL("google.com")', False),
        ('ISURL("http://www.google.com")', True),
        ('ISURL("a b")', False),
        ('UPPER("a")&LOWER("B")&T("c")&T(5)', "Abc"),
    ],
)
def test_texts(formula, expected):
    """Texts are cleaned, named, encoded and recognised."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('REGEXEXTRACT("Needle in a haystack",".e{2}dle")', "Needle"),
        ('REGEXEXTRACT("My favorite number is 241, but my friend\'s is 17","\\d+")', "241"),
        ('REGEXEXTRACT("id 42","id (\\d+)")', "42"),
        ('JOIN("|",REGEXEXTRACT("2024-05","(\\d+)-(\\d+)"))', "2024|05"),
        ('REGEXEXTRACT("x","\\d")', "#N/A"),
        ('REGEXMATCH("Spreadsheets","S.r")', True),
        ('REGEXMATCH("abc","^b")', False),
        ('REGEXMATCH("ABC","(?i)b")', True),
        ('REGEXMATCH("a"&CHAR(10),"a$")', False),
        ('REGEXMATCH("a"&CHAR(10)&"b","(?m)a$")', True),
        ('REGEXMATCH("é","\\w")', False),
        ('REGEXMATCH("a.b","\\Qa.b\\E")', True),
        ('REGEXMATCH("axb","\\Qa.b\\E")', False),
        ('REGEXMATCH("x1","[[:alpha:]][[:digit:]]")', True),
        ('REGEXMATCH("]","[]a]")', True),
        ('REGEXMATCH("a{,2}","a{,2}")', True),
        ('REGEXMATCH("tab"&CHAR(9),"\\x09")', True),
        ('REGEXMATCH(5,"5")', "#VALUE!"),
        ('REGEXMATCH(Y1,"^$")', True),
        ('REGEXMATCH("a","(?=a)")', "#REF!"),
        ('REGEXMATCH("aa","(a)\\1")', "#REF!"),
        ('REGEXMATCH("a","a**")', "#REF!"),
        ('REGEXMATCH("a","*a")', "#REF!"),
        ('REGEXMATCH("a","(a")', "#REF!"),
        ('REGEXMATCH("a","a)")', "#REF!"),
        ('REGEXMATCH("a","[a")', "#REF!"),
        ('REGEXMATCH("a","a{2,1}")', "#REF!"),
        ('REGEXMATCH("a","\\y")', "#REF!"),
        ('REGEXREPLACE("Spreadsheets","S.*d","Bed")', "Bedsheets"),
        ('REGEXREPLACE("ab12","([a-z])(\\d)","$2$1")', "a1b2"),
        ('REGEXREPLACE("baac","a*","x")', "xbxcx"),
        ('REGEXREPLACE("a","(a)","$2")', "#REF!"),
        ('REGEXREPLACE("1,234","[^0-9]","")', "1234"),
        ('REGEXMATCH("fooo","^(?:fo+)$")', True),
        ('REGEXMATCH("abab","^(ab){2}$")', True),
    ],
)
@pytest.mark.parametrize("engine", ["python", "re2"])
def test_regular_expressions(formula, expected, engine, monkeypatch):
    """Regular expressions are RE2's, with the package google-re2 and without it."""
    if engine == "re2":
        pytest.importorskip("re2")
    else:
        monkeypatch.setattr("queued_gspread.emulator.values.functions.regular._re2", lambda: None)
    holds(formula, expected)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|aa)+b", "(a*)*b", "a*" * 20 + "b", "a?" * 40 + "a" * 40, "((a?){30}){30}b"],
)
def test_a_pattern_takes_no_longer_than_a_moment(pattern, monkeypatch):
    """A pattern that would make Python backtrack for hours is not computed without google-re2."""
    monkeypatch.setattr("queued_gspread.emulator.values.functions.regular._re2", lambda: None)
    assert value(f'=IFERROR(REGEXMATCH(REPT("a",5000),"{pattern}"),"swallowed")') == "#NAME?"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('LOOKUP("bob",A2:A4,B2:B4)', 2),
        ("LOOKUP(2.5,B2:C4)", 45351),
        ("LOOKUP(0,B2:B4)", "#N/A"),
        ("XMATCH(4,{5,4,3,2,1})", 2),
        ("XMATCH(4.5,{1;2;3;6},1)", 4),
        ("XMATCH(4.5,{1;2;3;6},-1)", 3),
        ('XMATCH("b*",A1:A6,2)', 3),
        ('XMATCH("ann",A1:A6,0,-1)', 6),
        ("XMATCH(9,{1,2})", "#N/A"),
        ("ADDRESS(1,2)", "$B$1"),
        ("ADDRESS(1,2,4)", "B1"),
        ("ADDRESS(1,2,2)", "B$1"),
        ("ADDRESS(1,2,3)", "$B1"),
        ("ADDRESS(1,2,,FALSE)", "R1C2"),
        ("ADDRESS(2,3,2,FALSE)", "R2C[3]"),
        ('ADDRESS(1,2,,,"Sheet 2")', "'Sheet 2'!$B$1"),
        ("SUM(OFFSET(B1,1,0,3,1))", 6),
        ("OFFSET(B1,2,0)", 2),
        ("OFFSET(A1,-1,0)", "#REF!"),
        ("SUM(OFFSET(B2:B4,0,0))", 6),
        ('INDIRECT("B"&3)', 2),
        ('SUM(INDIRECT("Sheet1!B2:B4"))', 6),
        ('INDIRECT("R3C2",FALSE)', 2),
        ('INDIRECT("no such")', "#REF!"),
        ('INDIRECT("Nowhere!A1")', "#REF!"),
        ("SUM(B2:INDEX(B:B,3))", 3),
        ("SUM(INDEX(B:B,2):B4)", 6),
        ("ROW(OFFSET(A1,4,0))+COLUMN(INDEX(A1:C3,1,3))", 8),
        ("ISREF(A1)", True),
        ('ISREF("A1")', False),
        ("ISFORMULA(Z1)", True),
        ("FORMULATEXT(A1)", "#N/A"),
        ("SHEETS()", 1),
        ("SUM(ARRAYFORMULA(ROW(A5:A7)*COLUMN(A1:B1)))", 54),
    ],
)
def test_lookups(formula, expected):
    """Values are found by order, and references are computed."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("LET(x,2,y,x*3,x+y)", 8),
        ("LET(cells,B2:B4,SUM(cells)/ROWS(cells))", 2),
        ("LET(x,1,LET(x,2,x)+x)", 3),
        ("LET(x,1)", "#N/A"),
        ("LET(1,2,3)", "#VALUE!"),
        ("LET(x,1,x)+IFERROR(x,10)", 11),
        ("RANDBETWEEN(3,3)", 3),
        ("RANDBETWEEN(2,1)", "#NUM!"),
        ("ISBETWEEN(RAND(),0,1,TRUE,FALSE)", True),
        ("COUNT(RANDARRAY(2,3))", 6),
        ("ERROR.TYPE(NA())", 7),
        ("ERROR.TYPE(1/0)", 2),
        ("ERROR.TYPE(5)", "#N/A"),
        ('TYPE(5)+TYPE("x")+TYPE(TRUE)+TYPE(NA())+TYPE(A1:A2)', 87),
        ("ISNONTEXT(5)", True),
        ("ISNA(NA())", True),
        ('AVERAGEIFS(B2:B6,A2:A6,"ann",B2:B6,">0")', 5.5),
        ("FALSE()", False),
        ('N("x")+N(5)', 5),
        ('COUNTUNIQUEIFS(A2:A6,B2:B6,">1")', 3),
        ('PERCENTIF(B2:B4,">1")', 0.666666667),
    ],
)
def test_names_chance_and_kinds(formula, expected):
    """LET's names hold where they are given, and values tell what they are."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("TRANSPOSE({1,2;3,4})", "1,3,2,4"),
        ("FLATTEN({1,2;3,4},5)", "1,2,3,4,5"),
        ("SEQUENCE(2,2,10,-1)", "10,9,8,7"),
        ('UNIQUE({"a";"A";"a";1;1})', "a,A,1"),
        ("UNIQUE({1,1,2},TRUE)", "1,2"),
        ("UNIQUE({1;1;2},FALSE,TRUE)", "2"),
        ("FILTER(A2:A4,B2:B4>1)", "bob,cy"),
        ("FILTER({1,2,3},{TRUE,FALSE,TRUE})", "1,3"),
        ('SORT({3;1;"b";2})', "1,2,3,b"),
        ("SORT({1,2;3,1},2,TRUE)", "3,1,1,2"),
        ("SORT(A2:A4,B2:B4,FALSE)", "cy,bob,ann"),
        ('SPLIT("Alas, poor Yorick"," ,")', "Alas,poor,Yorick"),
        ('SPLIT("a12b12c","12",FALSE)', "a,b,c"),
        ('SPLIT("a,,b",",",TRUE,FALSE)', "a,,b"),
        ("HSTACK({1;2},{3;4})", "1,3,2,4"),
        ("VSTACK({1,2},{3,4})", "1,2,3,4"),
        ("TOCOL({1,2;3,4},0,TRUE)", "1,3,2,4"),
        ("TOROW({1,2;3,4})", "1,2,3,4"),
        ("TOROW(A4:A6,1)", "cy,Ann"),
        ("WRAPROWS({1,2,3},2,0)", "1,2,3,0"),
        ("WRAPCOLS({1,2,3},2,0)", "1,3,2,0"),
        ("CHOOSEROWS({1,2;3,4},-1)", "3,4"),
        ("CHOOSECOLS({1,2;3,4},2,1)", "2,1,4,3"),
        ("ARRAY_CONSTRAIN({1,2;3,4},1,2)", "1,2"),
        ("MMULT({1,2;3,4},{5,6;7,8})", "19,22,43,50"),
    ],
)
def test_arrays(formula, expected):
    """Arrays are made, arranged and chosen from, and are arguments as ranges are."""
    holds(f'TEXTJOIN(",",FALSE,{formula})', expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('SUMPRODUCT((A2:A6="ann")*B2:B6)', 11),
        ('SUMPRODUCT(--(A2:A6="ann"))', 2),
        ("SUMPRODUCT(LEN(A2:A4))", 8),
        ('SUMPRODUCT(A2:A4&B2:B4="bob2")', 0),
        ('SUMPRODUCT(COUNTIF(A2:A6,{"ann","bob"}))', 3),
        ("SUM(ARRAYFORMULA(IF(B2:B4>1,B2:B4,0)))", 5),
        ("SUM(ARRAYFORMULA(IFERROR(B1:B4/1,100)))", 106),
        ('INDEX(A2:A4&"!",2)', "bob!"),
        ('COUNTA(IFERROR(FILTER(A2:A4,B2:B4>9),"none"))', 1),
        ("ARRAYFORMULA(SUM({1,2,3}*{1;10}))", 66),
        ('ARRAYFORMULA(SUM(VLOOKUP({"ann","cy"},A2:B4,2,FALSE)))', 4),
        ("FILTER(A2:A4,B2:B4>9)", "#N/A"),
        ("SUM(ARRAYFORMULA({1,2}+{1,2,3}))", "#N/A"),
    ],
)
def test_functions_of_one_value_over_ranges(formula, expected):
    """In SUMPRODUCT, ARRAYFORMULA and their like each cell of a range is computed."""
    holds(formula, expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("LAMBDA(x,y,x+y)(1,2)", 3),
        ("LAMBDA(x,x)(1,2)", "#N/A"),
        ("SUM(MAP({1,2;3,4},LAMBDA(x,x*x)))", 30),
        ("SUM(MAP({1,2},{3,4},LAMBDA(x,y,x*y)))", 11),
        ("SUM(MAP({1,2},{3,4,5},LAMBDA(x,y,x*y)))", "#VALUE!"),
        ("SUM(MAP({1,2},5))", "#NAME?"),
        ('TEXTJOIN(",",TRUE,BYROW({1,2;3,4},LAMBDA(row,SUM(row))))', "3,7"),
        ('TEXTJOIN(",",TRUE,BYCOL({1,2;3,4},LAMBDA(column,MAX(column))))', "3,4"),
        ("REDUCE(0,B2:B4,LAMBDA(total,each,total+each))", 6),
        ('TEXTJOIN(",",TRUE,SCAN(0,{1,2,3},LAMBDA(total,each,total+each)))', "1,3,6"),
        ("SUM(MAKEARRAY(2,3,LAMBDA(row,column,row*column)))", 18),
        ("LET(n,2,SUM(MAP({1,2},LAMBDA(x,x*n))))", 6),
    ],
)
def test_lambdas(formula, expected):
    """A LAMBDA is computed for each value, row or column that it is given."""
    holds(formula, expected)


def test_subtotals():
    """SUBTOTAL leaves out other subtotals, and hidden rows where it is asked to."""
    book = book_of(
        ["1", "2", "=SUBTOTAL(9,A1:A2)", "4", "=SUBTOTAL(9,A1:A4)", "=SUBTOTAL(109,A1:A4)"]
    )
    sheet = book.sheets[0]
    sheet.dimensions["ROWS"][1] = {"hiddenByUser": True}
    found = [Evaluator(book).value(sheet, row, 0) for row in (2, 4, 5)]
    assert found == [3, 7, 5]
    expected = [7 / 3, 3, 3, 4, 1, 8, 1.527525232, 1.247219129, 7, 2.333333333, 1.555555556]
    for code, wanted in enumerate(expected, 1):
        book = book_of(["1", "2", "4"], [f"=SUBTOTAL({code},A1:A3)"])
        assert Evaluator(book).value(book.sheets[0], 0, 1) == pytest.approx(wanted)
    book = book_of(["1"], ["=SUBTOTAL(12,A1)"])
    assert Evaluator(book).value(book.sheets[0], 0, 1) == CellError("#VALUE!")


def test_a_subtotal_under_a_filter_is_a_gap():
    """The emulator's filters hide no rows, so it does not know which a SUBTOTAL counts."""
    book = book_of(["1", "2"], ["=IFERROR(SUBTOTAL(9,A1:A2),0)"])
    book.sheets[0].basic_filter = {"criteria": {"0": {"hiddenValues": ["1"]}}}
    assert "filter" in Evaluator(book).value(book.sheets[0], 0, 1).what


def test_computed_references_are_followed():
    """A cell that INDIRECT or OFFSET leads to is worked out first, and a circle is `#REF!`."""
    book = book_of(['=INDIRECT("B1")+1', "=OFFSET(A1,2,0)", "=A2"], ["=OFFSET(B1,1,0)*2", "=5"])
    evaluator = Evaluator(book)
    assert evaluator.value(book.sheets[0], 0, 0) == 11
    assert evaluator.value(book.sheets[0], 1, 0) == CellError("#REF!")


def test_chance_is_new_for_each_reading_and_follows_the_seed():
    """RAND is the same all over one reading, another in the next, and repeatable by the seed."""

    def drawn():
        with Emulator(seed=5) as emulator:
            sheet = emulator.gspread_client().create("Chance").sheet1
            sheet.update([["=RAND()", "=A1", "=RANDBETWEEN(1,1000000)"]], "A1", raw=False)
            return [sheet.get("A1:C1") for _ in "12"]

    first, second = found = drawn()
    assert first[0][0] == first[0][1]
    assert first != second
    assert drawn() == found


def test_an_array_has_its_bounds():
    """What would make millions of cells is not computed, and takes no memory."""
    for formula in ("SEQUENCE(100000000)", "SEQUENCE(2000)+TRANSPOSE(SEQUENCE(2000))"):
        assert value(f"=IFERROR(COUNT(ARRAYFORMULA({formula})),0)") == "#NAME?"


def test_every_function_is_tested():
    """Each function that is computed stands in a formula of these tests."""
    texts = [
        (HERE / name).read_text() for name in ("test_emulator_formulas.py", Path(__file__).name)
    ]
    called = set(re.findall(r"([A-Z][A-Z0-9._]*)\(", "".join(texts)))
    assert COMPUTED - called == set()


def test_dates_that_functions_give_look_like_dates():
    """A working day is shown as a date, and so is a moment since 1970."""
    assert result("=WORKDAY(DATE(2024,1,5),1)") == "1/8/2024"
    assert result("=EPOCHTODATE(0)") == "1/1/1970 0:00:00"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('=TEXT(5,"@")', "5"),
        ('=TEXT(-1.25,"@ ""kg""")', "-1.25 kg"),
        ('=TEXT(1234.5,"[$€-407] #,##0.00")', "€ 1,234.50"),
        ('=TEXT(-2,"0 [$CHF]")', "-2 CHF"),
        ('=TEXT(2,"[$-409]0.0")', "2.0"),
        ('=TEXT(2,"[Red]0")', "2"),
    ],
)
def test_patterns_with_a_currency_or_the_sign_of_texts(formula, expected):
    """A pattern's currency is shown, and a number where it has the sign of texts."""
    assert result(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('=LEN("🥎A🥎B")', "6"),
        ('=LEN("né")', "2"),
        ('=LEFT("🥎A",2)', "🥎"),
        ('=RIGHT("A🥎",2)', "🥎"),
        ('=MID("🥎A🥎B",3,3)', "A🥎"),
        ('=FIND("B","🥎A🥎B")', "6"),
        ('=SEARCH("b","🥎A🥎B")', "6"),
        ('=REPLACE("🥎A🥎B",3,1,"🥎")', "🥎🥎🥎B"),
        ('=IFERROR(LEFT("🥎A",1),"x")', "#NAME?"),
    ],
)
def test_characters_are_counted_in_utf_16(formula, expected):
    """Positions in a text count an emoji twice, as Google does; half of one is not computed."""
    assert result(formula) == expected
