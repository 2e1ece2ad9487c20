"""Spreadsheets as data: files, sheets, grids and cells."""
